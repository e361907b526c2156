package dev.ascribe.torch.text;

/** Thrown inside a rendering: what the template asked for is not known to be rendered as Jinja2 would. */
final class TemplateRefusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TemplateRefusal(String what) {
        super(what);
    }
}
