package dev.ascribe.torch.text;

import dev.ascribe.UnsupportedModelException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A chat template, rewritten so that jinjava renders it as Python's Jinja2 does.
 *
 * <p>Where the two differ, the difference is taken out here, before jinjava reads a word:
 *
 * <ul>
 *   <li>white space is cut by Jinja2's rules ({@code trim_blocks}, {@code lstrip_blocks}, {@code -}, {@code +});
 *   <li>text and string literals become variables, so that no escape and no brace is read twice;
 *   <li>names set in a loop are given their outer values back at each turn;
 *   <li>a loop runs over a list made before it, so that {@code for … if} and {@code else} see what Jinja2's see;
 *   <li>slices become a method; printed and assigned values pass through a filter that checks them.
 * </ul>
 *
 * What is not known to be rendered alike is replaced by a call that refuses it by name, so that a template whose
 * branches for tools are beyond us still serves plain conversations.
 */
final class JinjaSource {
    /** The variable that holds the {@link Rendering}, whose methods rewritten templates call. */
    static final String RENDERING = "ascribe_rendering";

    static final String NONE = "ascribe_none";
    static final String PRINTED = "ascribe_printed";
    static final String ASSIGNED = "ascribe_assigned";
    static final String CONSTANT = "ascribe_c";
    static final String OUTER = "ascribe_o";
    static final String SLICE = "ascribe_slice";
    static final String ITEMS = "ascribe_i";
    static final String MISSING = "ascribe_missing";

    private static final int MOST_CHARACTERS = 1 << 17; // the largest templates in use have 20,000
    private static final int DEEPEST = 40;

    private static final Set<String> FILTERS = Set.of(
            "trim",
            "length",
            "count",
            "tojson",
            "upper",
            "lower",
            "first",
            "last",
            "join",
            "list",
            "default",
            "d",
            "safe",
            "string",
            "selectattr",
            "rejectattr",
            "capitalize",
            "replace",
            "reverse");
    private static final Set<String> TESTS = Set.of(
            "defined",
            "undefined",
            "none",
            "string",
            "mapping",
            "iterable",
            "sequence",
            "true",
            "false",
            "boolean",
            "number",
            "odd",
            "even");
    private static final Set<String> FUNCTIONS = Set.of("namespace", "raise_exception", "range");
    private static final Set<String> LOOP =
            Set.of("index", "index0", "first", "last", "length", "revindex", "revindex0");
    private static final Set<String> WORDS = Set.of("and", "or", "not", "in", "is", "if", "else");
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", ">", "<=", ">=");
    private static final Set<String> OPERATORS = Set.of(
            "+", "-", "~", "%", "==", "!=", "<", ">", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", "|", "=",
            ":");

    private record Token(char kind, String text) { // kind: n name, s string, i number, o operator
        boolean is(String operator) {
            return kind == 'o' && text.equals(operator);
        }

        boolean isWord(String word) {
            return kind == 'n' && text.equals(word);
        }
    }

    private static final Token NOTHING = new Token('o', "");
    private static final Pattern MACRO = Pattern.compile("\\{%[-+]?\\s*macro\\s+(\\w+)");

    /** The part of a loop after its {@code else}; the tag that ends it is the loop's. */
    private static final String ELSE_OF_LOOP = "else of for";

    /** An open block: where its head starts and ends in the output, and for loops what the body sets and runs over. */
    private record Block(String tag, int line, int start, int bodyStart, Set<String> assigned, String items) {}

    /**
     * A macro: what it binds, what it reads, and the constant that says why it cannot be called. jinjava's macros see the
     * variables of their caller, Jinja2's do not.
     */
    private record Macro(String name, String obstacle, Set<String> bound, Set<String> read) {}

    /** What an open bracket is, and so how it closes. */
    private enum Bracket {
        ROUND(")"),
        SQUARE("]"),
        CURLY(")"), // a dict is made by a call: jinjava takes one in brackets for a list
        SLICE(")"),
        MACRO(") )");

        private final String close;

        Bracket(String close) {
            this.close = close;
        }
    }

    private final String source;
    private final StringBuilder out = new StringBuilder();
    private final Map<String, String> constants = new LinkedHashMap<>();
    private final Map<String, String> names = new HashMap<>();
    private final Deque<Block> open = new ArrayDeque<>();
    private final Set<String> macroNames = new HashSet<>();
    private final List<Macro> macros = new ArrayList<>();
    private final Set<String> boundInLoops = new HashSet<>();
    private int at;
    private int outers;
    private int loops;

    /** @throws UnsupportedModelException where the template is malformed, too large, or uses a tag that is not known */
    JinjaSource(String source) {
        if (source.length() > MOST_CHARACTERS) {
            throw new UnsupportedModelException("The chat template has %,d characters; at most %,d are read."
                    .formatted(source.length(), MOST_CHARACTERS));
        }
        String lines = source.replace("\r\n", "\n").replace('\r', '\n');
        this.source = lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines;
        MACRO.matcher(this.source).results().forEach(macro -> macroNames.add(macro.group(1))); // also those used before
        read();
    }

    /** What jinjava is given. */
    String text() {
        return out.toString();
    }

    /** The values of the variables that stand for text and string literals. */
    Map<String, String> constants() {
        return constants;
    }

    private void read() {
        boolean lineStart = true;
        while (at < source.length()) {
            int tag = nextTag();
            String text = source.substring(at, tag);
            at = tag;
            if (tag == source.length()) {
                text(text);
                break;
            }
            char kind = source.charAt(tag + 1);
            char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
            if (sign == '-') {
                text = Python.rstrip(text);
            } else if (sign != '+' && kind != '{') {
                int line = text.lastIndexOf('\n') + 1;
                if ((line > 0 || lineStart) && Python.isSpace(text.substring(line))) {
                    text = text.substring(0, line);
                }
            }
            text(text);
            at += sign == '-' || sign == '+' ? 3 : 2;
            lineStart = switch (kind) {
                case '#' -> comment();
                case '{' -> {
                    List<Token> tokens = tokens("}}");
                    boolean atLineStart = end("}}", false);
                    print(tokens);
                    yield atLineStart;
                }
                default -> {
                    List<Token> tokens = tokens("%}");
                    boolean atLineStart = end("%}", true);
                    statement(tokens);
                    yield atLineStart;
                }
            };
        }
        if (!open.isEmpty()) {
            throw malformed("{%% %s %%} of line %d is never closed".formatted(open.peek().tag, open.peek().line));
        }
        for (Macro macro : macros) {
            macro.read.stream()
                    .filter(name -> !macro.bound.contains(name))
                    .filter(name -> boundInLoops.contains(name)
                            || macros.stream().anyMatch(other -> other.bound.contains(name)))
                    .findFirst()
                    .ifPresent(name ->
                            constants.put(macro.obstacle, "the macro %s, which reads %s".formatted(macro.name, name)));
        }
    }

    private int nextTag() {
        for (int i = at; i + 1 < source.length(); i++) {
            if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return source.length();
    }

    private boolean comment() {
        int end = source.indexOf("#}", at);
        if (end < 0) {
            throw malformed("a comment is never closed");
        }
        at = end > at && "-+".indexOf(source.charAt(end - 1)) >= 0 ? end - 1 : end;
        return end("#}", true);
    }

    /** Passes the end of a tag and the white space that goes with it; true where a line starts after it. */
    private boolean end(String close, boolean trimsLine) {
        int start = at;
        char sign = source.charAt(at);
        at += sign == '-' || sign == '+' ? close.length() + 1 : close.length();
        if (sign == '-') {
            while (at < source.length() && Python.isSpace(source.charAt(at))) {
                at++;
            }
        } else if (trimsLine && sign != '+' && at < source.length() && source.charAt(at) == '\n') {
            at++;
        }
        return at > start && source.charAt(at - 1) == '\n';
    }

    private List<Token> tokens(String close) {
        List<Token> tokens = new ArrayList<>();
        int depth = 0;
        while (true) {
            while (at < source.length() && Python.isSpace(source.charAt(at))) {
                at++;
            }
            if (at >= source.length()) {
                throw malformed("a tag is never closed");
            }
            boolean signed = source.startsWith(close, at + 1) && "-+".indexOf(source.charAt(at)) >= 0;
            if (depth == 0 && (signed || source.startsWith(close, at))) {
                return tokens;
            }
            Token token = token();
            if (token.kind == 'o' && "([{".contains(token.text)) {
                depth++;
            } else if (token.kind == 'o' && ")]}".contains(token.text)) {
                depth--;
            }
            if (depth < 0 || depth > DEEPEST) {
                throw malformed(depth < 0 ? "a bracket is closed that is not open" : "brackets are too deep");
            }
            if (token.kind == 's' && !tokens.isEmpty() && tokens.getLast().kind == 's') {
                tokens.add(new Token('s', tokens.removeLast().text + token.text)); // 'a' 'b' is 'ab'
            } else {
                tokens.add(token);
            }
        }
    }

    private Token token() {
        int start = at;
        char c = source.charAt(at);
        if (c == '\'' || c == '"') {
            return new Token('s', literal(c));
        }
        if (c >= '0' && c <= '9') {
            while (at < source.length() && Character.isLetterOrDigit(source.charAt(at))) {
                at++;
            }
            return new Token('i', source.substring(start, at));
        }
        if (Character.isLetter(c) || c == '_') {
            while (at < source.length() && (Character.isLetterOrDigit(source.charAt(at)) || source.charAt(at) == '_')) {
                at++;
            }
            return new Token('n', source.substring(start, at));
        }
        for (String operator : List.of("==", "!=", "<=", ">=", "**", "//")) {
            if (source.startsWith(operator, at)) {
                at += 2;
                return new Token('o', operator);
            }
        }
        at++;
        return new Token('o', String.valueOf(c));
    }

    private String literal(char quote) {
        StringBuilder value = new StringBuilder();
        at++;
        while (at < source.length()) {
            char c = source.charAt(at++);
            if (c == quote) {
                return value.toString();
            }
            if (c != '\\' || at == source.length()) {
                value.append(c);
                continue;
            }
            char escaped = source.charAt(at++);
            switch (escaped) {
                case 'n' -> value.append('\n');
                case 't' -> value.append('\t');
                case 'r' -> value.append('\r');
                case '\\', '\'', '"' -> value.append(escaped);
                case '\n' -> {} // a line that goes on
                case 'x' -> value.appendCodePoint(codePoint(2));
                case 'u' -> value.appendCodePoint(codePoint(4));
                case 'U' -> value.appendCodePoint(codePoint(8));
                default -> throw unsupported("the escape \\" + escaped);
            }
        }
        throw malformed("a string is never closed");
    }

    private int codePoint(int digits) {
        try {
            int value = Integer.parseInt(source.substring(at, at + digits), 16);
            if (!Character.isValidCodePoint(value)) {
                throw malformed("an escape is no character");
            }
            at += digits;
            return value;
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            throw malformed("an escape lacks digits");
        }
    }

    private void text(String text) {
        if (!text.isEmpty()) {
            out.append("{{ ").append(constant(text)).append(" }}");
        }
    }

    private void print(List<Token> tokens) {
        if (tokens.isEmpty()) {
            throw malformed("nothing is printed");
        }
        out.append("{{ (")
                .append(expression(tokens))
                .append(")|")
                .append(PRINTED)
                .append(" }}");
    }

    private void statement(List<Token> tokens) {
        if (tokens.isEmpty() || tokens.getFirst().kind != 'n') {
            throw malformed("a tag has no name");
        }
        String tag = tokens.getFirst().text;
        List<Token> rest = tokens.subList(1, tokens.size());
        switch (tag) {
            case "if" -> {
                open(tag, out.length());
                out.append("{% if ").append(expression(rest)).append(" %}");
            }
            case "elif" -> {
                inside("if", tag);
                out.append("{% elif ").append(expression(rest)).append(" %}");
            }
            case "else" -> {
                if (!open.isEmpty() && open.peek().tag.equals("for")) {
                    String items = endLoop().items;
                    out.append("{% if not ").append(items).append(" %}");
                    open(ELSE_OF_LOOP, out.length());
                } else {
                    inside("if", tag);
                    out.append("{% else %}");
                }
            }
            case "endif" -> {
                close("if", tag);
                out.append("{% endif %}");
            }
            case "for" -> loop(rest);
            case "endfor" -> {
                if (!open.isEmpty() && open.peek().tag.equals(ELSE_OF_LOOP)) {
                    open.pop();
                    out.append("{% endif %}");
                } else {
                    endLoop();
                }
            }
            case "break", "continue" -> {
                if (open.stream().noneMatch(block -> block.tag.equals("for"))) {
                    throw malformed("{% " + tag + " %} stands outside a loop");
                }
                out.append("{% ").append(tag).append(" %}");
            }
            case "macro" -> macro(rest);
            case "endmacro" -> {
                close("macro", tag);
                out.append("{% endmacro %}");
            }
            case "set" -> set(rest);
            case "endset" -> {
                close("set", tag);
                out.append("{% endset %}");
            }
            case "generation", "endgeneration" -> {} // marks what transformers trains on; prints nothing
            default -> throw unsupported("the tag {% " + tag + " %}");
        }
    }

    private void loop(List<Token> tokens) {
        int in = 0;
        while (in < tokens.size() && !tokens.get(in).isWord("in")) {
            in++;
        }
        if (in == 0 || in >= tokens.size() - 1) {
            throw malformed("a for tag is not of the form for … in …");
        }
        List<String> targets = new ArrayList<>();
        for (Token token : tokens.subList(0, in)) {
            if (token.kind == 'n') {
                targets.add(token.text);
            }
        }
        targets.forEach(target -> bind(target, true));
        List<Token> items = tokens.subList(in + 1, tokens.size());
        int condition = topLevel(items, "if");
        String list = ITEMS + loops++;
        String head = "{% for " + String.join(", ", targets) + " in ";
        String turn = " %}{{ " + RENDERING + ".step() }}";
        int start = out.length();
        String over = items.getLast().isWord("recursive")
                ? refusal("for … recursive")
                : RENDERING + ".items( " + expression(items.subList(0, condition)) + " )";
        if (condition < items.size()) {
            out.append("{%% set %s = %s.list() %%}".formatted(list, RENDERING))
                    .append(head + over + turn)
                    .append("{%% if %s %%}".formatted(expression(items.subList(condition + 1, items.size()))))
                    .append("{{ %s.keep(%s, %s) }}".formatted(RENDERING, list, String.join(", ", targets)))
                    .append("{% endif %}{% endfor %}");
        } else {
            out.append("{%% set %s = %s %%}".formatted(list, over));
        }
        out.append(head + list + turn);
        open(new Block("for", line(), start, out.length(), new LinkedHashSet<>(), list));
    }

    /** Where a word stands outside all brackets; the number of tokens where it does not. */
    private static int topLevel(List<Token> tokens, String word) {
        int depth = 0;
        for (int i = 0; i < tokens.size(); i++) {
            depth += nesting(tokens.get(i));
            if (depth == 0 && (tokens.get(i).isWord(word) || tokens.get(i).is(word))) {
                return i;
            }
        }
        return tokens.size();
    }

    /** 1 for an opening bracket, -1 for a closing one, else 0. */
    private static int nesting(Token token) {
        return token.kind != 'o' ? 0 : "([{".contains(token.text) ? 1 : ")]}".contains(token.text) ? -1 : 0;
    }

    /** {@code name(a, b=value)}; a parameter that is not given gets its value at the call, as in Jinja2. */
    private void macro(List<Token> tokens) {
        if (tokens.size() < 3
                || tokens.getFirst().kind != 'n'
                || !tokens.get(1).is("(")
                || !tokens.getLast().is(")")) {
            throw malformed("a macro tag is not of the form macro name(parameters)");
        }
        if (!open.stream().allMatch(block -> block.tag.equals("if"))) {
            throw unsupported("a macro in a loop or in a macro");
        }
        Macro macro = new Macro(
                tokens.getFirst().text, CONSTANT + constants.size(), new LinkedHashSet<>(), new LinkedHashSet<>());
        constants.put(macro.obstacle, "");
        macros.add(macro);
        open("macro", out.length());
        List<Token> rest = tokens.subList(2, tokens.size() - 1);
        List<String> parameters = new ArrayList<>();
        StringBuilder defaults = new StringBuilder();
        while (!rest.isEmpty()) {
            int comma = topLevel(rest, ",");
            List<Token> parameter = rest.subList(0, comma);
            rest = rest.subList(Math.min(comma + 1, rest.size()), rest.size());
            boolean given = parameter.size() > 2 && parameter.get(1).is("=");
            if (parameter.isEmpty() || parameter.getFirst().kind != 'n' || (parameter.size() > 1 && !given)) {
                throw malformed("a macro's parameter is not of the form name or name=value");
            }
            String name = parameter.getFirst().text;
            macro.bound.add(name);
            parameters.add(name + "=" + MISSING);
            if (given) {
                defaults.append("{%% if %s.missing(%s) %%}{%% set %s = (%s)|%s %%}{%% endif %%}"
                        .formatted(
                                RENDERING, name, name, expression(parameter.subList(2, parameter.size())), ASSIGNED));
            }
        }
        out.append("{%% macro %s(%s) %%}".formatted(macro.name, String.join(", ", parameters)))
                .append("{{ %s.callable(%s) }}".formatted(RENDERING, macro.obstacle))
                .append(defaults);
    }

    private boolean inMacro() {
        return open.stream().anyMatch(block -> block.tag.equals("macro"));
    }

    /** Notes that a name gets a value here: the macro's own, or a loop's, or neither. */
    private void bind(String name, boolean inLoop) {
        if (inMacro()) {
            macros.getLast().bound.add(name);
        } else if (inLoop) {
            boundInLoops.add(name);
        }
    }

    /** jinjava carries what a turn sets into the next turn, Jinja2 does not: each turn starts with the outer values. */
    private Block endLoop() {
        Block block = close("for", "endfor");
        StringBuilder keep = new StringBuilder();
        StringBuilder restore = new StringBuilder();
        for (String name : block.assigned) {
            String outer = OUTER + outers++;
            keep.append("{% set ").append(outer).append(" = ").append(name).append(" %}");
            restore.append("{% set ").append(name).append(" = ").append(outer).append(" %}");
        }
        out.insert(block.bodyStart, restore);
        out.insert(block.start, keep);
        out.append("{% endfor %}");
        return block;
    }

    private void set(List<Token> tokens) {
        if (tokens.isEmpty() || tokens.getFirst().kind != 'n') {
            throw malformed("a set tag names no variable");
        }
        String name = tokens.getFirst().text;
        boolean attribute = tokens.size() > 3 && tokens.get(1).is(".") && tokens.get(2).kind == 'n';
        if (!attribute) {
            bind(name, open.stream().anyMatch(block -> block.tag.equals("for")));
            open.stream()
                    .takeWhile(block -> !block.tag.equals("macro")) // its names are its own
                    .filter(block -> block.tag.equals("for"))
                    .findFirst()
                    .ifPresent(loop -> loop.assigned.add(name));
        }
        if (tokens.size() == 1) {
            out.append("{% set ").append(name).append(" %}");
            open("set", out.length());
            return;
        }
        int equals = attribute ? 3 : 1;
        if (tokens.size() < equals + 2 || !tokens.get(equals).is("=")) {
            throw unsupported("a set tag other than {% set name = value %}");
        }
        out.append("{% set ")
                .append(name)
                .append(attribute ? "." + tokens.get(2).text : "")
                .append(" = (");
        out.append(expression(tokens.subList(equals + 1, tokens.size())))
                .append(")|")
                .append(ASSIGNED)
                .append(" %}");
    }

    /** The expression for jinjava, or a call that refuses what is not known to mean the same there. */
    private String expression(List<Token> tokens) {
        StringBuilder text = new StringBuilder();
        // Brackets that only jinjava needs, by the depth at which they were opened.
        Deque<Integer> groups = new ArrayDeque<>();
        Deque<Bracket> brackets = new ArrayDeque<>();
        // For each depth, where in the text the left side of a comparison starts.
        Deque<Integer> operands = new ArrayDeque<>(List.of(0));
        for (int i = 0; i < tokens.size(); i++) {
            Token token = tokens.get(i);
            Token before = i > 0 ? tokens.get(i - 1) : NOTHING;
            Token after = i + 1 < tokens.size() ? tokens.get(i + 1) : NOTHING;
            String problem = problem(tokens, i, token, before, after);
            if (!problem.isEmpty()) {
                return refusal(problem);
            }
            if (inMacro() && isVariable(tokens, i)) {
                macros.getLast().read.add(token.text);
            }
            boolean closes = nesting(token) < 0;
            while (!groups.isEmpty() && groups.peek() == brackets.size() && (closes || endsComparison(token))) {
                text.append(") ");
                groups.pop();
            }
            if (token.is("==") || token.is("!=")) {
                text.insert(operands.element(), RENDERING + (token.is("==") ? ".equal( " : ".unequal( "));
                text.append(", ");
                groups.push(brackets.size());
                continue;
            }
            if (token.is("[") && isSlice(tokens, i)) {
                text.append('.').append(SLICE).append("( ");
                brackets.push(Bracket.SLICE);
            } else if (token.is("{")) {
                text.append(RENDERING).append(".dict( ");
                brackets.push(Bracket.CURLY);
            } else if (nesting(token) > 0) {
                text.append(token.text).append(' ');
                boolean call = token.is("(") && isMacro(tokens, i - 1);
                brackets.push(call ? Bracket.MACRO : token.is("(") ? Bracket.ROUND : Bracket.SQUARE);
            } else if (closes) {
                Bracket bracket = brackets.pop();
                text.append(bracket == Bracket.SLICE && before.is(":") ? "null " : "")
                        .append(bracket.close);
                text.append(after.is(".") || after.is("[") ? "" : " ");
            } else if (token.is(":") && brackets.peek() == Bracket.CURLY) {
                text.append(", ");
            } else if (token.is(":")) {
                text.append(before.is("[") || before.is(":") ? "null , " : ", ");
            } else {
                text.append(token.isWord("raise_exception") && after.is("(") ? RENDERING + "." : "");
                text.append(isMacro(tokens, i) ? RENDERING + ".text( " : "");
                text.append(tokenText(token, before, isTest(tokens, i)))
                        .append(after.is(".") || token.is(".") || after.is("[") ? "" : " ");
            }
            // In Jinja2 "not" takes in a whole comparison and "=" a whole expression, in jinjava the next operand.
            boolean negates = token.isWord("not") && !before.isWord("is") && !after.isWord("in");
            if (negates || token.is("=")) {
                text.append("( ");
                groups.push(brackets.size());
                if (groups.size() > DEEPEST) {
                    return refusal("an expression nested too deep");
                }
            }
            if (closes) {
                operands.pop();
            } else if (nesting(token) > 0) {
                operands.push(text.length());
            } else if (negates || token.is("=") || token.is(":") || endsComparison(token)) {
                operands.pop();
                operands.push(text.length());
            }
        }
        return text.append(") ".repeat(groups.size())).toString().strip();
    }

    private static boolean isVariable(List<Token> tokens, int i) {
        Token before = i > 0 ? tokens.get(i - 1) : NOTHING;
        Token after = i + 1 < tokens.size() ? tokens.get(i + 1) : NOTHING;
        return tokens.get(i).kind == 'n'
                && !WORDS.contains(tokens.get(i).text)
                && !(before.is(".") || before.is("|") || after.is("(") || after.is("=") || isTest(tokens, i));
    }

    /** Whether the token is the name in a call of one of the template's macros. */
    private boolean isMacro(List<Token> tokens, int i) {
        return i >= 0
                && i + 1 < tokens.size()
                && tokens.get(i + 1).is("(")
                && macroNames.contains(tokens.get(i).text)
                && tokens.get(i).kind == 'n'
                && !(i > 0 && (tokens.get(i - 1).is(".") || tokens.get(i - 1).is("|")));
    }

    /** Whether the token is the name in {@code is name} or {@code is not name}. */
    private static boolean isTest(List<Token> tokens, int i) {
        return (i >= 1 && tokens.get(i - 1).isWord("is") && !tokens.get(i).isWord("not"))
                || (i >= 2
                        && tokens.get(i - 1).isWord("not")
                        && tokens.get(i - 2).isWord("is"));
    }

    private static boolean endsComparison(Token token) {
        return token.is(",")
                || (token.kind == 'n' && Set.of("and", "or", "if", "else").contains(token.text));
    }

    /** Whether a side is {@code (a and b)}: one of the two in Python, always true or false in jinjava. */
    private static boolean comparesConjunction(List<Token> tokens, int comparison) {
        for (int direction : new int[] {-1, 1}) {
            int depth = 0;
            for (int i = comparison + direction; i >= 0 && i < tokens.size(); i += direction) {
                Token token = tokens.get(i);
                depth += token.is("(") ? direction : token.is(")") ? -direction : 0;
                if (depth <= 0) {
                    break;
                }
                if (token.isWord("and")) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether another comparison comes before this one: {@code a == b == c} is not {@code (a == b) == c} in Python. */
    private static boolean isChained(List<Token> tokens, int comparison) {
        int depth = 0;
        for (int i = comparison - 1; i >= 0; i--) {
            Token token = tokens.get(i);
            depth += token.is(")") || token.is("]") ? 1 : token.is("(") || token.is("[") ? -1 : 0;
            boolean prefix = token.isWord("not") && !tokens.get(i + 1).isWord("in");
            if (depth < 0 || (depth == 0 && (prefix || token.is("=") || token.is(":") || endsComparison(token)))) {
                return false;
            }
            if (depth == 0 && (token.isWord("in") || (token.kind == 'o' && COMPARISONS.contains(token.text)))) {
                return true;
            }
        }
        return false;
    }

    /** Whether the bracket at {@code start} follows a value and has a colon of its own. */
    private static boolean isSlice(List<Token> tokens, int start) {
        Token before = start > 0 ? tokens.get(start - 1) : NOTHING;
        boolean follows = before.is(")")
                || before.is("]")
                || before.kind == 's'
                || (before.kind == 'n' && !WORDS.contains(before.text));
        return follows && colonOf(tokens, start) >= 0;
    }

    private static int colonOf(List<Token> tokens, int start) {
        int depth = 0;
        for (int i = start; i < tokens.size(); i++) {
            Token token = tokens.get(i);
            depth += token.is("(") || token.is("[") ? 1 : token.is(")") || token.is("]") ? -1 : 0;
            if (depth == 0) {
                return -1;
            }
            if (depth == 1 && token.is(":")) {
                return i;
            }
        }
        return -1;
    }

    /** Whether the operand on the left of {@code %} can be negative: the remainder's sign differs in Python. */
    private static boolean isDifference(List<Token> tokens, int percent) {
        int depth = 0;
        for (int i = percent - 1; i >= 0; i--) {
            Token token = tokens.get(i);
            depth += token.is(")") || token.is("]") ? 1 : token.is("(") || token.is("[") ? -1 : 0;
            if (depth <= 0) {
                return i > 0 && depth == 0 && tokens.get(i - 1).is("-") && i < 2;
            }
            if (token.is("-")) {
                return true;
            }
        }
        return false;
    }

    private String tokenText(Token token, Token before, boolean isTest) {
        if (token.kind == 's') {
            return constant(token.text);
        }
        if (token.kind != 'n' || before.is(".")) {
            return token.text;
        }
        return switch (token.text) {
            case "True" -> "true";
            case "False" -> "false";
            case "None", "none" -> isTest ? "none" : NONE;
            default -> token.text;
        };
    }

    /** What of this token is not known to be rendered alike; empty for nothing. */
    private String problem(List<Token> tokens, int i, Token token, Token before, Token after) {
        String name = token.text;
        if (token.kind == 'o') {
            if (COMPARISONS.contains(name) && isChained(tokens, i)) {
                return "a chain of comparisons";
            }
            if ((token.is("==") || token.is("!=")) && comparesConjunction(tokens, i)) {
                return "a comparison with the value of an and";
            }
            if (token.is("%") && isDifference(tokens, i)) {
                return "the remainder of a difference";
            }
            return OPERATORS.contains(name) ? "" : "the operator " + name;
        }
        if (token.kind == 'i') {
            return name.chars().allMatch(c -> c >= '0' && c <= '9') ? "" : "the number " + name;
        }
        if (token.kind == 's') {
            return Python.isFalse(name) ? "the string '" + name + "'" : "";
        }
        if (before.is("|")) {
            boolean bare = !after.is("(") || !(name.equals("tojson") || name.equals("trim"));
            return FILTERS.contains(name) && bare ? "" : "the filter " + name + (bare ? "" : " with arguments");
        }
        if (isTest(tokens, i)) {
            return TESTS.contains(name.toLowerCase(Locale.ROOT)) ? "" : "the test is " + name;
        }
        if (before.is(".")) {
            return i >= 2 && tokens.get(i - 2).isWord("loop") && !LOOP.contains(name) ? "loop." + name : "";
        }
        if (after.is("(") && !WORDS.contains(name)) {
            return FUNCTIONS.contains(name) || isMacro(tokens, i) ? "" : "the function " + name;
        }
        return "";
    }

    private String refusal(String what) {
        return RENDERING + ".refuse(" + constant(what + ", at line " + line()) + ")";
    }

    private String constant(String value) {
        return names.computeIfAbsent(value, v -> {
            String name = CONSTANT + constants.size();
            constants.put(name, v);
            return name;
        });
    }

    /** Call it with the block's head written. */
    private void open(String tag, int start) {
        open(new Block(tag, line(), start, out.length(), new LinkedHashSet<>(), ""));
    }

    private void open(Block block) {
        if (open.size() >= DEEPEST) {
            throw malformed("tags are nested too deep");
        }
        open.push(block);
    }

    private void inside(String tag, String name) {
        if (open.isEmpty() || !open.peek().tag.equals(tag)) {
            throw malformed("{% " + name + " %} stands alone");
        }
    }

    private Block close(String tag, String name) {
        inside(tag, name);
        return open.pop();
    }

    private int line() {
        return 1
                + (int) source.substring(0, Math.min(at, source.length()))
                        .chars()
                        .filter(c -> c == '\n')
                        .count();
    }

    private UnsupportedModelException malformed(String what) {
        return new UnsupportedModelException(
                "The chat template is malformed at line %d: %s. Give another with --template FILE, or use --template alpaca."
                        .formatted(line(), what));
    }

    private UnsupportedModelException unsupported(String what) {
        return new UnsupportedModelException(
                "The chat template uses at line %d what is not supported: %s. Give a simpler one with --template FILE, or use --template alpaca."
                        .formatted(line(), what));
    }
}
