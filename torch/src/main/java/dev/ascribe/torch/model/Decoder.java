package dev.ascribe.torch.model;

import dev.ascribe.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * A decoder-only transformer. It reads top-down: embed, blocks, norm, output.
 *
 * <p>Shapes: N tokens of a {@link Packed} batch, B sequences, T the longest, C the width, H query heads, K key heads, D the
 * head width, V the vocabulary. The residual stream has the type of the embedding; products run in each weight's own type.
 */
public final class Decoder implements AutoCloseable {
    private final DecoderConfig config;
    private final Weights weights;
    private final Tensor tokenEmbedding; // (V, C)
    private final @Nullable Tensor positionEmbedding; // (context, C), where positions are learned
    private final @Nullable Rotary rotary;
    private final List<Block> blocks = new ArrayList<>();
    private final NormLayer lastNorm;
    private final Linear output; // (V, C)

    /** One layer: attention and MLP, each behind a norm and added to the residual stream. */
    private record Block(
            int index,
            NormLayer attentionNorm,
            List<Linear> inputs, // query, key, value; or one fused
            @Nullable NormLayer queryNorm,
            @Nullable NormLayer keyNorm,
            Linear attentionOut,
            NormLayer mlpNorm,
            @Nullable Linear gate,
            Linear up,
            Linear down) {

        Stream<Linear> sites() {
            return Stream.concat(
                    inputs.stream(), Stream.of(attentionOut, gate, up, down).flatMap(Stream::ofNullable));
        }
    }

    private record NormLayer(
            DecoderConfig.Norm kind,
            Tensor weight,
            @Nullable Tensor bias,
            double epsilon) {
        Tensor apply(Tensor x) {
            long[] width = {weight.numel()};
            return switch (kind) {
                case LAYER ->
                    torch.layer_norm(x, width, Tensors.optional(weight), Tensors.optional(bias), epsilon, false);
                case RMS -> torch.rms_norm(x, width, Tensors.optional(weight), new DoubleOptional(epsilon));
            };
        }
    }

    /** Assembles a decoder from named weights; a missing or misshapen one is refused by name. */
    Decoder(DecoderConfig config, Weights weights) {
        this.config = config;
        this.weights = weights;
        boolean gpt = config.naming() == DecoderConfig.Naming.GPT2;
        int c = config.width();
        this.tokenEmbedding =
                weights.get(gpt ? "transformer.wte.weight" : "model.embed_tokens.weight", config.vocabulary(), c);
        this.positionEmbedding = gpt ? weights.get("transformer.wpe.weight", config.context(), c) : null;
        this.rotary = config.rope() == null
                ? null
                : new Rotary(config.rope(), config.headWidth(), tokenEmbedding.scalar_type());
        for (int i = 0; i < config.layers(); i++) {
            blocks.add(gpt ? gptBlock(i, weights) : llamaBlock(i, weights));
        }
        this.lastNorm = norm(weights, gpt ? "transformer.ln_f" : "model.norm", c);
        this.output = new Linear(
                "lm_head",
                config.layers(),
                config.tied()
                        ? weights.product(tokenEmbedding)
                        : weights.product("lm_head.weight", config.vocabulary(), c),
                null);
    }

    private Block gptBlock(int i, Weights weights) {
        String at = "transformer.h." + i + ".";
        int c = config.width();
        return new Block(
                i,
                norm(weights, at + "ln_1", c),
                List.of(linear(weights, i, at + "attn.c_attn", 3 * c, c, true)),
                null,
                null,
                linear(weights, i, at + "attn.c_proj", c, c, true),
                norm(weights, at + "ln_2", c),
                null,
                linear(weights, i, at + "mlp.c_fc", config.hidden(), c, true),
                linear(weights, i, at + "mlp.c_proj", c, config.hidden(), true));
    }

    private Block llamaBlock(int i, Weights weights) {
        String at = "model.layers." + i + ".";
        String attention = at + "self_attn.";
        int c = config.width();
        int d = config.headWidth();
        return new Block(
                i,
                norm(weights, at + "input_layernorm", c),
                List.of(
                        linear(weights, i, attention + "q_proj", config.queryWidth(), c, config.qkvBias()),
                        linear(weights, i, attention + "k_proj", config.keyWidth(), c, config.qkvBias()),
                        linear(weights, i, attention + "v_proj", config.keyWidth(), c, config.qkvBias())),
                config.headNorm() ? norm(weights, attention + "q_norm", d) : null,
                config.headNorm() ? norm(weights, attention + "k_norm", d) : null,
                linear(weights, i, attention + "o_proj", c, config.queryWidth(), config.outBias()),
                norm(weights, at + "post_attention_layernorm", c),
                config.gated() ? linear(weights, i, at + "mlp.gate_proj", config.hidden(), c, config.mlpBias()) : null,
                linear(weights, i, at + "mlp.up_proj", config.hidden(), c, config.mlpBias()),
                linear(weights, i, at + "mlp.down_proj", c, config.hidden(), config.mlpBias()));
    }

    private NormLayer norm(Weights weights, String name, int width) {
        Tensor bias = config.norm() == DecoderConfig.Norm.LAYER ? weights.get(name + ".bias", width) : null;
        return new NormLayer(config.norm(), weights.get(name + ".weight", width), bias, config.epsilon());
    }

    private Linear linear(Weights weights, int block, String name, int out, int in, boolean biased) {
        Tensor weight = weights.transposed()
                ? weights.product(name + ".weight", in, out).t()
                : weights.product(name + ".weight", out, in);
        return new Linear(name, block, weight, biased ? weights.get(name + ".bias", out) : null);
    }

    /** Frees the weights. */
    @Override
    public void close() {
        sites().forEach(Linear::unmerge);
        weights.free();
    }

    /** What the decoder is. */
    public DecoderConfig config() {
        return config;
    }

    /** Entries of the embedding and of all linear layers. */
    long parameters() {
        return tokenEmbedding.numel()
                + sites().stream()
                        .mapToLong(site -> (long) site.in() * site.out())
                        .sum();
    }

    /** The type of the residual stream. */
    public ScalarType type() {
        return tokenEmbedding.scalar_type();
    }

    /** All linear layers, first to last; the output projection is the last. */
    public List<Linear> sites() {
        return Stream.concat(blocks.stream().flatMap(Block::sites), Stream.of(output))
                .toList();
    }

    /** Embeds a batch: shape (N, C). */
    public Tensor embed(Packed batch) {
        Tensor x = torch.embedding(tokenEmbedding, batch.tokens());
        return positionEmbedding == null ? x : x.add(torch.embedding(positionEmbedding, batch.positions()));
    }

    /**
     * Runs a range of blocks.
     *
     * @param x shape (N, C)
     * @param from first block
     * @param to behind the last block
     * @return shape (N, C)
     */
    public Tensor run(Tensor x, Packed batch, int from, int to, Tape tape) {
        return run(x, batch, from, to, tape, null);
    }

    Tensor run(Tensor x, Packed batch, int from, int to, Tape tape, @Nullable Cache cache) {
        Rotary.@Nullable Angles angles = rotary == null ? null : rotary.at(batch);
        for (Block block : blocks.subList(from, to)) {
            Tensor in = x;
            x = Tensors.tidy(() -> {
                Tensor mixed = attention(block, block.attentionNorm().apply(in), batch, angles, tape, cache);
                Tensor y = tape.add(in, block.attentionOut(), mixed);
                return tape.add(y, block.down(), mlp(block, block.mlpNorm().apply(y), tape));
            });
        }
        return x;
    }

    /**
     * The whole stack without the output projection.
     *
     * @return normalised hidden states, shape (N, C)
     */
    public Tensor hidden(Packed batch, Tape tape) {
        return finish(run(embed(batch), batch, 0, config.layers(), tape));
    }

    /** The last norm: shape (N, C) to (N, C). */
    public Tensor finish(Tensor x) {
        return lastNorm.apply(x);
    }

    /**
     * The output projection.
     *
     * @param hidden shape (M, C)
     * @return logits, shape (M, V)
     */
    public Tensor logits(Tensor hidden, Tape tape) {
        return tape.apply(List.of(output), hidden).getFirst();
    }

    /** What attention gives to its last layer: shape (N, C) to (N, H·D). */
    private Tensor attention(
            Block block, Tensor x, Packed batch, Rotary.@Nullable Angles angles, Tape tape, @Nullable Cache cache) {
        return tape.again(Remade.ATTENTION, block.inputs(), x, inputs -> mix(block, inputs, batch, angles, cache));
    }

    /**
     * Attention proper.
     *
     * @param inputs queries, keys and values, shape (N, heads·D) each; or one fused
     * @return shape (N, H·D)
     */
    private Tensor mix(
            Block block, List<Tensor> inputs, Packed batch, Rotary.@Nullable Angles angles, @Nullable Cache cache) {
        Tensor query;
        Tensor key;
        Tensor value;
        if (inputs.size() == 1) {
            Tensor fused = inputs.getFirst();
            query = fused.narrow(1, 0, config.queryWidth());
            key = fused.narrow(1, config.queryWidth(), config.keyWidth());
            value = fused.narrow(1, config.queryWidth() + config.keyWidth(), config.keyWidth());
        } else {
            query = inputs.get(0);
            key = inputs.get(1);
            value = inputs.get(2);
        }
        query = heads(query, config.heads(), block.queryNorm(), angles);
        key = heads(key, config.keyHeads(), block.keyNorm(), angles);
        int window = config.windows().get(block.index());
        if (cache == null) {
            Tensor out = attend(split(batch, query), split(batch, key), split(batch, value), window);
            return batch.gather(out.transpose(1, 2).reshape(batch.sequences(), batch.longest(), config.queryWidth()));
        }
        Tensor out = attend(
                split(batch, query),
                cache.keys(block.index(), split(batch, key).squeeze(0)).unsqueeze(0),
                cache.values(block.index(), split(batch, value).squeeze(0)).unsqueeze(0),
                window);
        return out.transpose(1, 2).reshape(query.size(0), config.queryWidth());
    }

    /** Normalises and rotates heads where the model does: shape (N, heads·D) to the same. */
    private Tensor heads(Tensor x, int heads, @Nullable NormLayer norm, Rotary.@Nullable Angles angles) {
        if (norm == null && angles == null) {
            return x;
        }
        Tensor split = x.reshape(x.size(0), heads, config.headWidth());
        if (norm != null) {
            split = norm.apply(split);
        }
        if (angles != null && rotary != null) {
            split = rotary.rotate(split, angles);
        }
        return split.view(x.size(0), (long) heads * config.headWidth());
    }

    /** Shape (N, heads·D) to (B, heads, T, D). */
    private Tensor split(Packed batch, Tensor x) {
        return batch.spread(x)
                .view(batch.sequences(), batch.longest(), -1, config.headWidth())
                .transpose(1, 2);
    }

    /**
     * Causal attention; the last query stands at the last key.
     *
     * @param query shape (B, H, t, D)
     * @param key shape (B, K, T, D)
     * @param window how many tokens a query sees, itself included; 0 = all
     * @return shape (B, H, t, D)
     */
    private Tensor attend(Tensor query, Tensor key, Tensor value, int window) {
        long t = query.size(2);
        long all = key.size(2);
        if (window > 0 && t == 1 && all > window) {
            key = key.narrow(2, all - window, window);
            value = value.narrow(2, all - window, window);
        }
        if (config.keyHeads() != config.heads()) {
            key = repeat(key);
            value = repeat(value);
        }
        boolean masked = t > 1 && (t != all || (window > 0 && all > window));
        TensorOptional mask = masked ? new TensorOptional(mask(t, all, window)) : new TensorOptional();
        return torch.scaled_dot_product_attention(
                query, key, value, mask, 0.0, t > 1 && !masked, new DoubleOptional(), false);
    }

    /** Every key head once for each query head of its group: (B, K, T, D) to (B, H, T, D). */
    private Tensor repeat(Tensor heads) {
        long group = config.heads() / config.keyHeads();
        long b = heads.size(0);
        long t = heads.size(2);
        return heads.unsqueeze(2)
                .expand(b, config.keyHeads(), group, t, config.headWidth())
                .reshape(b, config.heads(), t, config.headWidth());
    }

    /** Which keys each query sees, shape (t, T), boolean. */
    private static Tensor mask(long t, long all, int window) {
        Tensor ones = torch.ones(new long[] {t, all}).to(ScalarType.Bool);
        Tensor causal = ones.tril(all - t);
        return window > 0 ? causal.logical_and(ones.triu(all - t - window + 1)) : causal;
    }

    /** What the MLP gives to its last layer: shape (N, C) to (N, hidden). */
    private Tensor mlp(Block block, Tensor x, Tape tape) {
        if (block.gate() == null) {
            return tape.again(Remade.GATES, List.of(block.up()), x, z -> activate(z.getFirst()));
        }
        return tape.again(
                Remade.GATES,
                List.of(block.gate(), block.up()),
                x,
                z -> activate(z.getFirst()).mul(z.getLast()));
    }

    private Tensor activate(Tensor x) {
        return switch (config.activation()) {
            case SILU -> torch.silu(x);
            case GELU_TANH -> torch.gelu(x, "tanh");
            case GELU -> torch.gelu(x, "none");
            case RELU -> torch.relu(x);
        };
    }
}
