/** Text of rows and prompts, and the token ids that a model sees: tokenizers, chat templates, targets. */
@NullMarked
package dev.ascribe.torch.text;

import org.jspecify.annotations.NullMarked;
