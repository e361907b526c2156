package dev.ascribe.torch.model;

/** What a backward pass makes again instead of remembering it; each includes those before. */
public enum Remade {
    /** The gated step of the MLP: next to no time. */
    GATES,
    /** Attention too: a third less memory, for a twentieth more time. */
    ATTENTION,
    /** Layers much wider than their input too: a third of the memory, for a quarter more time. */
    WIDE_LAYERS
}
