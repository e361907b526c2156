/** The command line: one class a verb. */
@NullMarked
package dev.ascribe.cli;

import org.jspecify.annotations.NullMarked;
