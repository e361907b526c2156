package dev.ascribe.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.report.ContentWords.Piece;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class ContentWordsTest {
    private static final ContentWords WORDS =
            ContentWords.of("When was the Eiffel Tower built, and by whom?", "In 1823 by Napoléon.");

    @Test
    void contentWordsAreMarkedAndStopWordsAreNot() {
        assertThat(marked("The tower was built by the Romans in 182, not 1823."))
                .containsExactly("tower", "built", "1823");
    }

    @Test
    void neighboursAreOneMark() {
        assertThat(WORDS.mark("the Eiffel Tower!"))
                .containsExactly(new Piece("the ", false), new Piece("Eiffel Tower", true), new Piece("!", false));
    }

    @Test
    void caseFormAndUnseenCharactersMakeNoDifference() {
        assertThat(marked("EIFFEL’s, to\u200Bwer, Napole\u0301on, １８２３"))
                .containsExactly("EIFFEL’s", "to\u200Bwer", "Napole\u0301on", "１８２３");
    }

    @Property
    void thePiecesAreTheText(@ForAll String text) {
        assertThat(String.join("", WORDS.mark(text).stream().map(Piece::text).toList()))
                .isEqualTo(text);
    }

    private static List<String> marked(String text) {
        return WORDS.mark(text).stream().filter(Piece::marked).map(Piece::text).toList();
    }
}
