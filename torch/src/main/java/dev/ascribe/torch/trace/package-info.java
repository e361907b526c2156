/** Tracing an answer and proving the trace: candidates, gradients, ranks, retraining. */
@NullMarked
package dev.ascribe.torch.trace;

import org.jspecify.annotations.NullMarked;
