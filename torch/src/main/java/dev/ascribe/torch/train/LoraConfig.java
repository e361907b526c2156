package dev.ascribe.torch.train;

import dev.ascribe.UserInputException;
import dev.ascribe.torch.model.Linear;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Which linear layers get a low-rank update, of what rank and scale (Hu and others, 2021), in PEFT's terms.
 *
 * @param rank r, unless a pattern says otherwise
 * @param alpha the update is scaled by alpha / r, or alpha / √r with {@code rsLora}
 * @param rsLora rank-stabilised scaling (Kalajdzievski, 2023)
 * @param targets which modules
 * @param rankPattern r by module-name pattern
 * @param alphaPattern alpha by module-name pattern
 */
public record LoraConfig(
        int rank,
        double alpha,
        boolean rsLora,
        Targets targets,
        Map<String, Integer> rankPattern,
        Map<String, Double> alphaPattern) {

    public LoraConfig {
        if (rank < 1 || rank > 4096) {
            throw new UserInputException("LoRA rank " + rank + " must be within 1 and 4096");
        }
        if (!(alpha > 0) || !Double.isFinite(alpha)) {
            throw new UserInputException("LoRA alpha " + alpha + " must be positive and finite");
        }
        // the first pattern that matches counts, so their order stays
        rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
        alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
    }

    /** A configuration without patterns. */
    public static LoraConfig of(int rank, double alpha, Targets targets) {
        return new LoraConfig(rank, alpha, false, targets, Map.of(), Map.of());
    }

    /** Which modules are adapted. */
    public sealed interface Targets {
        /** Every linear layer but the output projection. */
        record AllLinear() implements Targets {
            @Override
            public boolean match(Linear site) {
                return !site.name().equals("lm_head");
            }

            @Override
            public String toString() {
                return "all-linear";
            }
        }

        /** Modules whose name is one of these or ends with a dot and one of these. */
        record Names(List<String> names) implements Targets {
            public Names {
                names = List.copyOf(names);
            }

            @Override
            public boolean match(Linear site) {
                return names.stream()
                        .anyMatch(
                                name -> site.name().equals(name) || site.name().endsWith("." + name));
            }

            @Override
            public String toString() {
                return String.join(",", names);
            }
        }

        /** Modules whose whole name matches. */
        record Regex(String pattern) implements Targets {
            @Override
            public boolean match(Linear site) {
                return compile(pattern).matcher(site.name()).matches();
            }

            @Override
            public String toString() {
                return pattern;
            }
        }

        /**
         * {@code all-linear}, names separated by commas, or a regular expression.
         *
         * @param text as the user typed it
         */
        static Targets parse(String text) {
            if (text.equals("all-linear")) {
                return new AllLinear();
            }
            if (text.matches("[A-Za-z0-9_.]+(,[A-Za-z0-9_.]+)*")) {
                return new Names(List.of(text.split(",", -1)));
            }
            compile(text);
            return new Regex(text);
        }

        /** Whether a layer is adapted. */
        boolean match(Linear site);

        private static Pattern compile(String pattern) {
            try {
                return Pattern.compile(pattern);
            } catch (PatternSyntaxException e) {
                throw new UserInputException("'" + pattern + "' is no regular expression: " + e.getDescription(), e);
            }
        }
    }

    /** r of a layer. */
    int rank(Linear site) {
        return rankPattern.entrySet().stream()
                .filter(entry -> matches(entry.getKey(), site))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(rank);
    }

    /** The factor of a layer's update B·A. */
    double scale(Linear site) {
        double a = alphaPattern.entrySet().stream()
                .filter(entry -> matches(entry.getKey(), site))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(alpha);
        int r = rank(site);
        return rsLora ? a / Math.sqrt(r) : a / r;
    }

    /** As PEFT does: the pattern must match the end of the name, behind a dot or from its beginning. */
    private static boolean matches(String pattern, Linear site) {
        return Targets.compile("(.*\\.)?(" + pattern + ")").matcher(site.name()).matches();
    }
}
