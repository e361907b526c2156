/** Decoder-only transformers on libtorch: one decoder, its configuration, and the readers that fill them. */
@NullMarked
package dev.ascribe.torch.model;

import org.jspecify.annotations.NullMarked;
