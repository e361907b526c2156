package dev.ascribe.corpus;

import dev.ascribe.Content;

/** How a file's bytes become rows. Splitting looks for row ends only; what a row says is found when it is parsed. */
interface RowFormat {

    /**
     * Adds the byte range of every row, in order.
     *
     * @throws MalformedException at a byte of the file, after which no row can be told from the next; rows before it were added
     */
    void split(MappedFile file, RowRanges rows) throws MalformedException;

    /**
     * What a row says.
     *
     * @throws MalformedException at a UTF-16 unit of the row
     */
    Content parse(String row) throws MalformedException;
}
