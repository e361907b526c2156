package dev.ascribe.torch.text;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import dev.ascribe.Content;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.UserInputException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model's chat template: Jinja with {@code trim_blocks} and {@code lstrip_blocks}, rendered as Python's Jinja2 renders
 * it.
 *
 * <p>It sees {@code messages}, {@code add_generation_prompt} (true), {@code bos_token}, {@code eos_token} and
 * {@code raise_exception}. What is not known to be rendered alike is refused by name when a rendering reaches it. Time
 * and memory of a rendering are limited: a template comes with a model, and models come from strangers.
 */
public final class ChatTemplate {
    private final JinjaSource source;
    private final String bos;
    private final String eos;
    private final Jinjava engine = new Jinjava();

    private ChatTemplate(JinjaSource source, String bos, String eos) {
        this.source = source;
        this.bos = bos;
        this.eos = eos;
        PythonFilters.register(engine.getGlobalContext());
    }

    /**
     * @param source the template in Jinja
     * @param bos the text of the BOS token, empty where there is none
     * @param eos the text of the EOS token, empty where there is none
     * @throws UnsupportedModelException where the template is malformed or uses a tag that is not known
     */
    public static ChatTemplate of(String source, String bos, String eos) {
        return new ChatTemplate(new JinjaSource(source), bos, eos);
    }

    /**
     * The prompt for the assistant's next turn.
     *
     * @throws UserInputException when the template refuses the messages; the message is the template's
     * @throws UnsupportedModelException when the template needs what is not supported, by name
     */
    public String render(List<Content.Message> messages) {
        Rendering rendering = new Rendering(messages, source);
        try {
            RenderResult result =
                    engine.renderForResult(source.text(), rendering.variables(bos, eos), config(rendering));
            rendering.stop().ifPresent(stop -> {
                throw stop;
            });
            for (TemplateError error : result.getErrors()) {
                throw unsupported(error.getMessage(), error.getException());
            }
            return rendering.unguarded(result.getOutput());
        } catch (TemplateStop stop) {
            throw translated(rendering.stop().orElse(stop));
        } catch (StackOverflowError | OutOfMemoryError e) {
            throw unsupported("more memory than there is", e);
        }
    }

    private static RuntimeException translated(TemplateStop stop) {
        return stop.isRaised()
                ? new UserInputException(
                        "The chat template refuses the messages: %s. Change the row, or use --template alpaca."
                                .formatted(stop.getMessage()),
                        stop)
                : unsupported(String.valueOf(stop.getMessage()), stop);
    }

    private static UnsupportedModelException unsupported(String what, @Nullable Throwable cause) {
        String message =
                "The chat template uses what is not supported: %s. Give a simpler one with --template FILE, or use --template alpaca."
                        .formatted(what);
        return cause == null ? new UnsupportedModelException(message) : new UnsupportedModelException(message, cause);
    }

    private static JinjavaConfig config(Rendering rendering) {
        return JinjavaConfig.newBuilder()
                .withNestedInterpretationEnabled(false) // braces in a message are text
                .withElResolver(new PythonValues(rendering))
                .withMaxRenderDepth(10)
                .withRangeLimit(1_000)
                .withEnableRecursiveMacroCalls(true)
                .withMaxMacroRecursionDepth(100)
                .withLegacyOverrides(LegacyOverrides.newBuilder()
                        .withEvaluateMapKeys(true)
                        .withIterateOverMapKeys(true)
                        .withUseNaturalOperatorPrecedence(true)
                        .withParseWhitespaceControlStrictly(true)
                        .withAllowAdjacentTextNodes(true)
                        .withKeepNullableLoopValues(true)
                        .build())
                .build();
    }
}
