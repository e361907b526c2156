package dev.ascribe.torch.gradient;

/**
 * A state of the model at which gradients are taken.
 *
 * @param name {@code init}, {@code final} or the step with six digits
 * @param step updates done
 * @param learningRate in force there; 1 where no run says
 */
public record Point(String name, int step, double learningRate) {}
