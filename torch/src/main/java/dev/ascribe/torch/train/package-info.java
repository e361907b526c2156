/** Fine-tuning by LoRA, training from scratch, and the run directories that they leave. */
@NullMarked
package dev.ascribe.torch.train;

import org.jspecify.annotations.NullMarked;
