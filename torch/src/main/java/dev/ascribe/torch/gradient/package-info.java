/**
 * The gradient lens: influence(q, i) = Σ_c w_c · ⟨C_c⁻¹ g_c(q), g_c(i)⟩ over checkpoints c, g a (projected) loss gradient at
 * chosen sites, C a curvature.
 */
@NullMarked
package dev.ascribe.torch.gradient;

import org.jspecify.annotations.NullMarked;
