package dev.ascribe.store;

/**
 * A named range of the feature columns, such as what one LoRA matrix contributes.
 *
 * @param offset its first column
 * @param width its columns
 * @param entries entries of the unprojected matrix, for curvatures that average over parameters
 */
public record Block(String name, int offset, int width, long entries) {
    public Block {
        if (name.isEmpty() || offset < 0 || width < 1 || width > Integer.MAX_VALUE - offset || entries < 1) {
            throw new IllegalArgumentException(
                    "block '%s' with offset %d, width %d and %d entries: needs a name, offset >= 0, width >= 1, entries >= 1"
                            .formatted(name, offset, width, entries));
        }
    }

    /** The column after its last. */
    int end() {
        return offset + width;
    }
}
