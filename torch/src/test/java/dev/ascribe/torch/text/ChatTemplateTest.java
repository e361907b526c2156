package dev.ascribe.torch.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ascribe.Content;
import dev.ascribe.UnsupportedModelException;
import dev.ascribe.UserInputException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTemplateTest {
    private static final List<Content.Message> HI = List.of(new Content.Message("user", "hi"));

    static Stream<Arguments> cases() {
        JsonNode fixture = Fixture.json("templates.json");
        List<Arguments> cases = new ArrayList<>();
        for (JsonNode row : fixture.get("cases")) {
            cases.add(Arguments.of(
                    row.get("name").asText(),
                    fixture.get("templates").get(row.get("template").asText()).asText(),
                    row));
        }
        return cases.stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void a_template_renders_as_jinja2_renders_it(String name, String source, JsonNode row) {
        List<Content.Message> messages = new ArrayList<>();
        for (JsonNode message : row.get("messages")) {
            messages.add(new Content.Message(
                    message.get("role").asText(), message.get("content").asText()));
        }
        ChatTemplate template = ChatTemplate.of(source, "<s>", "</s>");
        if (row.has("error")) {
            assertThatThrownBy(() -> template.render(messages))
                    .as(name)
                    .isInstanceOf(UserInputException.class)
                    .hasMessageContaining(row.get("error").asText());
        } else {
            assertThat(template.render(messages))
                    .as(name)
                    .isEqualTo(row.get("output").asText());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ 'a'|center }}",
                "{{ 'a'.title() }}",
                "{{ strftime_now('%Y') }}",
                "{{ 2 ** 3 }}",
                "{% for m in messages recursive %}{% endfor %}",
                "{% for c in 5 %}{% endfor %}",
                "{{ messages }}",
                "{{ true }}",
                "{{ messages[0:1:2] }}",
                "{{ 'a'.getClass() }}",
                "{{ ''.class.forName('java.lang.Runtime') }}{{ messages.getClass() }}",
                "{% macro f() %}{{ m.role }}{% endmacro %}{% for m in messages %}{{ f() }}{% endfor %}",
                "{% macro f(a) %}{{ g() }}{% endmacro %}{% macro g() %}{{ a }}{% endmacro %}{{ f('x') }}",
                "{% for m in messages %}{% macro f() %}{% endmacro %}{% endfor %}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{% call f() %}{% endcall %}",
                "{{ {1: 'a'}.b }}",
                "{{ 'a'|replace('a') }}",
                "{% include 'x' %}",
                "{% import 'x' as y %}",
                "{{ 1 < 2 < 3 }}",
                "{{ messages|tojson(indent=4) }}",
                "{{ {'a': 1} }}",
                "{% if 'false' == messages[0].content %}{% endif %}",
            })
    void what_is_not_known_to_be_rendered_alike_is_refused(String source) {
        assertThatThrownBy(() -> ChatTemplate.of(source, "", "").render(HI))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("not supported");
    }

    @Test
    void a_refusal_names_what_and_where() {
        assertThatThrownBy(() -> ChatTemplate.of("a\n{{ 'a'|center }}", "", "").render(HI))
                .hasMessageContaining("the filter center, at line 2")
                .hasMessageContaining("--template alpaca");
    }

    @Test
    void a_branch_that_is_not_taken_is_not_refused() {
        assertThat(ChatTemplate.of("{% if tools %}{{ tools|center }}{% endif %}{{ messages[0].content }}", "", "")
                        .render(HI))
                .isEqualTo("hi");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% if a %}",
                "{% endif %}",
                "{{ a",
                "{% for %}{% endfor %}",
                "{{ 'a }}",
                "{# a",
                "{{ (a }}",
                "{{ a) }}",
                "{% if a %}{% endfor %}",
                "{{ }}",
                "{%",
                "{{",
                "{% set %}",
                "{% else %}",
                "{% for m in messages %}{% else %}{% else %}{% endfor %}",
                "{% for m in messages %}{% else %}",
                "{% break %}",
                "{% macro %}{% endmacro %}",
                "{% macro f %}{% endmacro %}",
                "{% macro f('a') %}{% endmacro %}",
                "{% macro f(a) %}",
                "{% endmacro %}",
                "{{ {'a': }",
                "{{ \"\\u12\" }}",
            })
    void a_malformed_template_is_an_error_not_a_crash(String source) {
        assertThatThrownBy(() -> ChatTemplate.of(source, "", "").render(HI))
                .isInstanceOf(UnsupportedModelException.class);
    }

    static Stream<String> hostile() {
        String loop = "{% for a in range(1000) %}";
        return Stream.of(
                loop.repeat(4) + "{% endfor %}".repeat(4),
                "{% set x = 'aaaaaaaaaa' %}" + "{% set x = x + x %}".repeat(60) + "{{ x }}",
                "{% macro f(n) %}{% if n < 60 %}{{ f(n + 1) }}{{ f(n + 1) }}{% endif %}{% endmacro %}{{ f(0) }}",
                "{% macro f(x) %}{{ x }}{{ x }}{% endmacro %}{% set x = 'aaaaaaaaaa' %}"
                        + "{% set x = f(x) %}".repeat(60) + "{{ x }}",
                "{{ " + "(".repeat(5_000) + "1" + ")".repeat(5_000) + " }}",
                "{{ " + "not ".repeat(5_000) + "1 }}",
                "{{ 'a'" + "|upper".repeat(10_000) + " }}",
                "{% if a %}".repeat(2_000) + "{% endif %}".repeat(2_000),
                "{% set x = 'aaaaaaaaaa' %}" + loop + loop + "{{ x * 3 }}{% endfor %}{% endfor %}",
                "x".repeat(1 << 18));
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void a_hostile_template_is_refused_in_bounded_time(String source) {
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(30),
                () -> assertThatThrownBy(() -> ChatTemplate.of(source, "", "").render(HI))
                        .isInstanceOf(UnsupportedModelException.class));
    }
}
