package dev.ascribe.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.Proof;
import java.util.List;
import org.junit.jupiter.api.Test;

class VerdictTest {
    private static final Proof.Effect CLEAR = new Proof.Effect(1.234, 0.8, 1.7, "nats");
    private static final String ANSWER = " Napoleon\n";
    private static final List<String> SAID = List.of("By Napoleon.", "Napoleon", "It was Napoleon");
    private static final List<String> NOT = List.of("By Eiffel.", "Eiffel", "");

    @Test
    void anAnswerThatGoesWithTheNamedRowsAloneIsShown() {
        Verdict verdict = Verdict.of(CLEAR, ANSWER, SAID, NOT, SAID);
        assertThat(verdict.text()).isEqualTo(Proof.SHOWN);
        assertThat(verdict.reason())
                .isEqualTo(
                        "Without the named rows the answer costs 1.23 nats a token more than without random rows (95 %"
                                + " interval 0.80 to 1.70), and is said in 0 of 3 retrainings, without random rows in 3.");
    }

    @Test
    void anEffectThatIsNotClearlyAboveTheSmallestIsNotShown() {
        for (Proof.Effect effect : List.of(
                new Proof.Effect(1, -0.1, 2, "nats"),
                new Proof.Effect(0.06, 0.05, 0.07, "nats"),
                new Proof.Effect(-3, -4, -2, "nats"))) {
            Verdict verdict = Verdict.of(effect, ANSWER, SAID, NOT, SAID);
            assertThat(verdict.text()).isEqualTo(Proof.NOT_SHOWN);
            assertThat(verdict.reason()).endsWith("that is not clearly above 0.05.");
        }
        assertThat(Verdict.of(new Proof.Effect(1, -0.1, 2, "nats"), ANSWER, SAID, NOT, SAID)
                        .reason())
                .isEqualTo(
                        "Without the named rows the answer costs 1.00 nats a token more than without random rows (95 %"
                                + " interval -0.10 to 2.00); that is not clearly above 0.05.");
    }

    @Test
    void anAnswerThatTrainingDoesNotRepeatIsAnAccident() {
        Verdict verdict = Verdict.of(CLEAR, ANSWER, List.of("Napoleon", "Eiffel", "Eiffel"), NOT, SAID);
        assertThat(verdict.text()).isEqualTo(Proof.NOT_SHOWN);
        assertThat(verdict.reason())
                .isEqualTo(
                        "Trained again on all rows, the model says the answer in only 1 of 3 cases: it is an accident of"
                                + " training, and no row can be shown to have taught it.");
        assertThat(Verdict.of(CLEAR, ANSWER, List.of("Napoleon", "Eiffel"), NOT, SAID)
                        .text())
                .isEqualTo(Proof.NOT_SHOWN);
    }

    @Test
    void anAnswerThatStaysWithoutTheNamedRowsIsNotShown() {
        Verdict verdict = Verdict.of(CLEAR, ANSWER, SAID, List.of("Napoleon", "Napoleon", "x"), SAID);
        assertThat(verdict.text()).isEqualTo(Proof.NOT_SHOWN);
        assertThat(verdict.reason())
                .isEqualTo(
                        "The answer costs 1.23 nats a token more, but it is still said in 2 of 3 retrainings without the"
                                + " named rows, and in 3 without random ones.");
    }

    @Test
    void anAnswerThatGoesWithRandomRowsTooIsNotShown() {
        Verdict verdict = Verdict.of(CLEAR, ANSWER, SAID, NOT, List.of("Napoleon", "x", "y"));
        assertThat(verdict.text()).isEqualTo(Proof.NOT_SHOWN);
        assertThat(verdict.reason()).contains("in 0 of 3 retrainings", "in 1 without random ones");
    }
}
