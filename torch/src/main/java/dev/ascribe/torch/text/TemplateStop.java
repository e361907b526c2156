package dev.ascribe.torch.text;

/**
 * Ends a rendering. An error, not an exception: jinjava collects exceptions and goes on with the next turn of a loop.
 */
final class TemplateStop extends Error {
    private static final long serialVersionUID = 1L;

    private final boolean raised;

    private TemplateStop(String message, boolean raised) {
        super(message);
        this.raised = raised;
    }

    /** The template itself stops, through {@code raise_exception}. */
    static TemplateStop raised(String message) {
        return new TemplateStop(message, true);
    }

    /** What the template asks for is not known to be rendered as Jinja2 would. */
    static TemplateStop refused(String what) {
        return new TemplateStop(what, false);
    }

    boolean isRaised() {
        return raised;
    }
}
