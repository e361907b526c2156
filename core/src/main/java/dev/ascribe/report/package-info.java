/** Results for people and programs: the JSON documents, the text for a terminal, the page that can be sent. */
@NullMarked
package dev.ascribe.report;

import org.jspecify.annotations.NullMarked;
