package dev.ascribe.report;

import dev.ascribe.Attribution;
import dev.ascribe.Proof;
import dev.ascribe.Result;
import gg.jte.ContentType;
import gg.jte.TemplateEngine;
import gg.jte.output.StringOutput;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A result as one HTML page that can be sent: no script, no request to anywhere (its own content policy forbids both),
 * light and dark, for screen and paper.
 *
 * <p>Every text of a result is untrusted and is escaped for its place.
 */
public final class Report {
    private Report() {}

    /**
     * The page of an attribution, with the proof of its claim if there is one.
     *
     * @return a complete HTML document, to be stored as UTF-8
     */
    public static String html(Attribution attribution, @Nullable Proof proof) {
        return render(Page.of(attribution, proof));
    }

    /** The page of any result. */
    public static String html(Result result) {
        return switch (result) {
            case Attribution attribution -> html(attribution, null);
            case Proof proof -> render(Page.of(proof));
        };
    }

    private static String render(Page page) {
        TemplateEngine engine = TemplateEngine.createPrecompiled(
                (Path) null, ContentType.Html, Report.class.getClassLoader(), Report.class.getPackageName());
        StringOutput out = new StringOutput();
        engine.render("report.jte", page, out);
        return out.toString();
    }
}
