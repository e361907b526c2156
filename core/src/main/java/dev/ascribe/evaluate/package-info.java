/** The judge: how far a trace can be trusted, by removal and retraining. It knows nothing of models. */
@NullMarked
package dev.ascribe.evaluate;

import org.jspecify.annotations.NullMarked;
