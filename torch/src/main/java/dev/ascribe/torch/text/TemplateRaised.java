package dev.ascribe.torch.text;

/** Thrown inside a rendering by the template itself, through {@code raise_exception}. */
final class TemplateRaised extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TemplateRaised(String message) {
        super(message);
    }
}
