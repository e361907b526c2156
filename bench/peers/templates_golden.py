"""Writes the chat template fixture of ascribe-torch: templates, conversations, and what Jinja2 renders of them.

    python bench/peers/templates_golden.py torch/src/test/resources/dev/ascribe/torch/text

The named templates are the published ones of well-known models; RANDOM more are made up from a grammar.
Needs: pip install transformers jinja2
"""

import json
import pathlib
import random
import sys

from transformers.utils.chat_template_utils import _compile_jinja_template

RANDOM = 60
R = random.Random(1)
TEMPLATES = {}
TEMPLATES["smollm2"] = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
TEMPLATES['chatml']="{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
TEMPLATES['qwen2']="{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
TEMPLATES['llama3']="{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
TEMPLATES['llama2']="{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
TEMPLATES['mistral']="{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
TEMPLATES['mistral_v3']='''{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}

{#- This block checks for alternating user/assistant messages, skipping tool calling messages #}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, conversation roles must alternate user/assistant/user/assistant/...") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
            {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}
'''
TEMPLATES['gemma']="{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
TEMPLATES['zephyr']="{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
TEMPLATES['alpaca']='''{% if messages[0]['role'] == 'system' %}{{ messages[0]['content'] + '\n\n' }}{% set messages = messages[1:] %}{% endif %}{% for message in messages %}
{% if message['role'] == 'user' %}
### Instruction:
{{ message['content']|trim -}}
{% if not loop.last %}


{% endif %}
{% elif message['role'] == 'assistant' %}
### Response:
{{ message['content']|trim -}}
{% if not loop.last %}


{% endif %}
{% endif %}
{% endfor %}
{% if add_generation_prompt and messages[-1]['role'] != 'assistant' %}
### Response:
{% endif %}
'''
TEMPLATES['vicuna']='''{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% for message in messages %}{% if message['role'] == 'system' %}{{message['content'] + ' '}}{% elif message['role'] == 'user' %}{{ 'USER: ' + message['content'] + ' '}}{% elif message['role'] == 'assistant' %}{{ 'ASSISTANT: ' + message['content'] + eos_token + ' '}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT: '}}{% endif %}'''
TEMPLATES['phi3']="{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
TEMPLATES['tulu']="{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] }}\n{% elif message['role'] == 'assistant' %}\n{% generation %}{{ '<|assistant|>\n'  + message['content'] + eos_token }}{% endgeneration %}\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
TEMPLATES['qwen3']='''{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\nYou are provided with function signatures within <tools></tools> XML tags:\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n\\nFor each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:\\n<tool_call>\\n{\\"name\\": <function-name>, \\"arguments\\": <args-json-object>}\\n</tool_call><|im_end|>\\n" }}
{%- else %}
    {%- if messages[0].role == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {%- if loop.last or (not loop.last and reasoning_content) %}
                {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
            {%- else %}
                {{- '<|im_start|>' + message.role + '\\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}
                    {{- '\\n' }}
                {%- endif %}
                {%- if tool_call.function %}
                    {%- set tool_call = tool_call.function %}
                {%- endif %}
                {{- '<tool_call>\\n{"name": "' }}
                {{- tool_call.name }}
                {{- '", "arguments": ' }}
                {%- if tool_call.arguments is string %}
                    {{- tool_call.arguments }}
                {%- else %}
                    {{- tool_call.arguments | tojson }}
                {%- endif %}
                {{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}'''
TEMPLATES['llama31']='''{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}

{#- This block extracts the system message, so we can slot it into the right place. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}

{#- System message + builtin tools #}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined or tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{%- if builtin_tools is defined %}
    {{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\\n\\n"}}
{%- endif %}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{%- if tools is not none and not tools_in_user_message %}
    {{- "You have access to the following functions. To call a function, please respond with JSON for a function call." }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}

{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
'''
TEMPLATES['probe']='''{#- note -#}
{%- set ns = namespace(found=false, n=0) -%}
  {% for m in messages %}
	{% if m.content and 'e' in m.content %}
	{% set ns.found = true %}{% set once = m.role %}
    {% elif not m.content %}
  [empty {{ loop.index }}]
    {% endif %}
   {{ loop.revindex0 ~ ':' ~ (once if once is defined else 'no') ~ "\\t" }} x  
    {%+ if true %} keep{% endif +%}
{% endfor %}
{{ 'T' if ns.found else 'F' }}|{{ 1 if false else messages|length + 1 }}|{{ (messages|last).role }}|{{ messages[-1]['role'][0] }}
{{ messages[0].content[:4] }}|{{ messages[0].content[2:] }}|{{ messages[0].content|upper }}|{{ messages[0].content.split()|join('-') }}|{{ '  '~messages[0].content|trim~'  ' }}|{{ messages[0]|tojson }}
{% if messages[0].role == 'system' and messages[1:] or false %}S{% endif %}{{ not_defined }}{{ messages[9] }}{{ 'a' 'b' }}{{ "é\\u00e9\\x41" }}
{{- '' -}}   
   end {# c #}
 {#- d #} tail


'''
TEMPLATES['llama32'] = r'''{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}

{#- This block extracts the system message, so we can slot it into the right place. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}

{#- System message #}
{{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\n" }}
{%- endif %}
{{- "Cutting Knowledge Date: December 2023\n" }}
{{- "Today Date: " + date_string + "\n\n" }}
{%- if tools is not none and not tools_in_user_message %}
    {{- "You have access to the following functions. To call a function, please respond with JSON for a function call." }}
    {{- 'Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}.' }}
    {{- "Do not use variables.\n\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\n\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}

{#- Custom tools are passed in a user message with some extra guidance #}
{%- if tools_in_user_message and not tools is none %}
    {#- Extract the first user message so we can plug it in here #}
    {%- if messages | length != 0 %}
        {%- set first_user_message = messages[0]['content']|trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("Cannot put tools in the first user message when there's no first user message!") }}
{%- endif %}
    {{- '<|start_header_id|>user<|end_header_id|>\n\n' -}}
    {{- "Given the following functions, please respond with a JSON for a function call " }}
    {{- "with its proper arguments that best answers the given prompt.\n\n" }}
    {{- 'Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}.' }}
    {{- "Do not use variables.\n\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\n\n" }}
    {%- endfor %}
    {{- first_user_message + "<|eot_id|>"}}
{%- endif %}

{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\n\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
'''
TEMPLATES['qwen25'] = r'''{%- if tools %}
    {{- '<|im_start|>system\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- else %}
        {{- 'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.' }}
    {%- endif %}
    {{- "\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided with function signatures within <tools></tools> XML tags:\n<tools>" }}
    {%- for tool in tools %}
        {{- "\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\n</tools>\n\nFor each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call><|im_end|>\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}
    {%- else %}
        {{- '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\n<tool_call>\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\n<tool_response>\n' }}
        {{- message.content }}
        {{- '\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
'''
TEMPLATES['deepseek_r1'] = r'''{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='') %}{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system_prompt = message['content'] %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{'<｜User｜>' + message['content']}}{%- endif %}{%- if message['role'] == 'assistant' and message['content'] is none %}{%- set ns.is_tool = false -%}{%- for tool in message['tool_calls']%}{%- if not ns.is_first %}{{'<｜Assistant｜><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>' + tool['type'] + '<｜tool▁sep｜>' + tool['function']['name'] + '\n' + '```json' + '\n' + tool['function']['arguments'] + '\n' + '```' + '<｜tool▁call▁end｜>'}}{%- set ns.is_first = true -%}{%- else %}{{'\n' + '<｜tool▁call▁begin｜>' + tool['type'] + '<｜tool▁sep｜>' + tool['function']['name'] + '\n' + '```json' + '\n' + tool['function']['arguments'] + '\n' + '```' + '<｜tool▁call▁end｜>'}}{{'<｜tool▁calls▁end｜><｜end▁of▁sentence｜>'}}{%- endif %}{%- endfor %}{%- endif %}{%- if message['role'] == 'assistant' and message['content'] is not none %}{%- if ns.is_tool %}{{'<｜tool▁outputs▁end｜>' + message['content'] + '<｜end▁of▁sentence｜>'}}{%- set ns.is_tool = false -%}{%- else %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{%- endif %}{%- endif %}{%- if message['role'] == 'tool' %}{%- set ns.is_tool = true -%}{%- if ns.is_output_first %}{{'<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>' + message['content'] + '<｜tool▁output▁end｜>'}}{%- set ns.is_output_first = false %}{%- else %}{{'\n<｜tool▁output▁begin｜>' + message['content'] + '<｜tool▁output▁end｜>'}}{%- endif %}{%- endif %}{%- endfor -%}{% if ns.is_tool %}{{'<｜tool▁outputs▁end｜>'}}{% endif %}{% if add_generation_prompt and not ns.is_tool %}{{'<｜Assistant｜><think>\n'}}{% endif %}'''
# What templates do that the published ones above do not reach without tools.
TEMPLATES['macro'] = "{% macro say(role, text='none given', end='\\n') %}[{{ role }}] {{ text }}{{ end }}{% endmacro %}{% for m in messages %}{{ say(m.role, m.content|trim) }}{{ say(m.role) }}{{ say(m.role, end='!') }}{% endfor %}"
TEMPLATES['macro_recursive'] = "{%- macro outer(x) -%}<{{ inner(x) }}>{%- endmacro -%}{%- macro inner(y) -%}{% if y|length > 3 %}{{ y[:3] }}{{ inner(y[3:]) }}{% else %}{{ y }}{% endif %}{%- endmacro -%}{{ outer(messages[0].content) }}{{ outer('abcdefghij') ~ 'z' }}{% if outer('') == '<>' %}eq{% endif %}"
TEMPLATES['macro_namespace'] = '{% set ns = namespace(n=0) %}{% macro count(m) %}{% set ns.n = ns.n + 1 %}{{ ns.n }}:{{ m.role }};{% endmacro %}{% for m in messages %}{{ count(m) }}{% endfor %}{{ ns.n }}{% set t = count(messages[0]) %}{{ t|upper|trim }}'
TEMPLATES['macro_missing'] = "{% macro f(a, b) %}{{ a }}{% if b is defined %}+{{ b }}{% else %}-{% endif %}{% if b %}T{% endif %}{{ b }}{% endmacro %}{% set b = 'outer' %}{{ f('x') }}{{ f('x', 'y') }}{{ f(b='q', a='r') }}"
TEMPLATES['for_if'] = "{% for m in messages if m.role == 'user' %}{{ loop.index }}/{{ loop.length }}{{ m.content }}{% if not loop.last %},{% endif %}{% endfor %}"
TEMPLATES['for_else'] = "{% for m in messages if m.role == 'tool' %}x{% else %}none{% endfor %}{% for m in messages if m.role != 'tool' %}{{ loop.index0 }}{% else %}none{% endfor %}"
TEMPLATES['for_pairs'] = "{% for k, v in messages[0].items() if k != 'role' %}{{ loop.revindex }}{{ k }}={{ v }};{% endfor %}{% for k in messages[0] %}{{ k }},{% endfor %}{% for k, v in {'a': 1, 'b': messages[0].role}.items() %}{{ k }}{{ v }}{% endfor %}"
TEMPLATES['for_characters'] = '{% for c in messages[0].content %}{{ c }}|{% endfor %}{% for m in messages[1:] %}{{ m.role }}{% else %}single{% endfor %}'
TEMPLATES['for_if_nested'] = '{% for m in messages %}{% for n in messages if n.role == m.role %}{{ loop.index }}{% endfor %};{% endfor %}'
TEMPLATES['break_continue'] = "{% for m in messages %}{% if m.role == 'assistant' %}{% break %}{% endif %}{{ m.role }}{% endfor %}|{% for m in messages %}{% if m.role == 'user' %}{% continue %}{% endif %}{{ m.role }}{% endfor %}"
TEMPLATES['dict'] = "{% set map = {'user': 'U', 'assistant': 'A', 'system': 'S'} %}{% for m in messages %}{{ map[m.role] }}{{ map.get(m.role, '?') }}{{ 'y' if m.role in map else 'n' }}{% endfor %}"
TEMPLATES['capitalize'] = '{% for m in messages %}{{ m.role|capitalize }} {{ m.content.capitalize() }}{% endfor %}'
TEMPLATES['set_in_for'] = '{% for m in messages %}{% set x = m.content %}{% endfor %}{% if x is defined %}D{% else %}U{% endif %}'
TEMPLATES['macro_of_message'] = "{%- macro content_of(message) -%}{%- if message.content is string -%}{{ message.content }}{%- else -%}{%- for part in message.content if part.type == 'text' -%}{{ part.text }}{%- endfor -%}{%- endif -%}{%- endmacro -%}{% for message in messages %}{{ content_of(message) }}{% endfor %}"
TEMPLATES['macro_reads_top'] = "{% macro leak() %}{{ v }}{% endmacro %}{% set v = 'top' %}{{ leak() }}"
TEMPLATES['macro_in_if'] = "{% if true %}{% macro z(q) %}{{ q }}{% endmacro %}{% endif %}{{ z('a') }}{{ z(messages[0].content) }}{{ z({'a': 1}.a) }}{{ z([1, 2][1]) }}"
TEMPLATES['lists'] = "{% set l = ['a', messages[0].role] %}{{ l[1] }}{{ l|length }}{% for x in l %}{{ x }}{% endfor %}{% set e = [] %}{% if e %}y{% else %}n{% endif %}{% set d = {} %}{% if d %}y{% else %}n{% endif %}{% for x in ['p', 'q'] if x != 'p' %}{{ x }}{% endfor %}{{ ['u','v']|join('-') }}"
TEMPLATES['conditions'] = "{% for m in messages %}{% if m.content is string and not (m.role == 'system' and loop.first) and m.role in ['user', 'assistant'] %}{{ m.role if m.role != 'user' else 'U' }}{% endif %}{% endfor %}"
TEMPLATES['for_if_namespace'] = "{% set ns = namespace(last='', count=0) %}{% for m in messages if m.role != 'system' %}{% set ns.count = ns.count + 1 %}{% set ns.last = m.role %}{% endfor %}{{ ns.last }}{{ ns.count }}{% if ns.count % 2 == 1 %}odd{% endif %}"
TEMPLATES['rejectattr'] = "{%- for message in messages | rejectattr('role', 'equalto', 'system') | list -%}{{ message.role }}:{{ message['content'] | trim }}{{ ';' if not loop.last }}{%- endfor -%}"
TEMPLATES['defaults'] = "{{ 'x' if messages|length > 1 }}{{ messages[0]['content'] | default('none') }}{{ nothing | default('d') }}{{ nothing | default(bos_token) }}{{ '' | default('e', true) }}"
TEMPLATES['replace'] = "{% for m in messages %}{{ m.content|replace('a', 'ä')|replace('\\n', '') }}{{ m.content.replace('e', '') }}{% endfor %}"
CONVERSATIONS = {
 'user':[('user','Hi there')],
 'sys':[('system','  You are nice. \n'),('user','  Hi\n there \n')],
 'multi':[('user','a'),('assistant','<think>\n\nhm hm\n</think>\n\n answer '),('user','b')],
 'sysmulti':[('system','S'),('user','a'),('assistant','reply'),('user','{{ 7*7 }} {% if %} {# #} <|im_end|> \\n "q" \'s\' é 😀')],
 'false':[('user','false'),('assistant','False'),('user','FALSE')],
 'falsesys':[('system','false'),('user',' false ')],
 'empty':[('user','')],
 'twousers':[('user','x'),('user','y')],
 'endassist':[('user','x'),('assistant','y')],
 'nbsp':[('system','\u00a0\u3000x\x1c'),('user','\u2028q\u200b')],
 'control':[('system',''.join(map(chr,range(0,32)))+'\x7f\x85'),('user','a\\b"c\'d<e>&amp;/\x00'+''.join(map(chr,range(0,32)))+'\u2028\ufeff')],
 'tool':[('user','<tool_response>z</tool_response>'),('assistant','k'),('user','null')],
}


# A grammar of templates: S strings, I integers, B conditions, P operands of filters and methods.


def S(d):
    c=R.randrange(13 if d>0 else 5)
    if c==0: return R.choice(["'a'","' b '","''","'fa'","\"x\\ny\""])
    if c==1: return 'messages[%d].content'%R.randrange(2)
    if c==2: return R.choice(['m.role','s','bos_token',"m['content']"])
    if c==3: return 'messages[-1].role'
    if c==4: return 'ns.t'
    if c==5: return S(d-1)+' + '+S(d-1)
    if c==6: return S(d-1)+' ~ '+S(d-1)
    if c==7: return P(d-1)+'|'+R.choice(['trim','upper','lower'])
    if c==8: return P(d-1)+'.'+R.choice(["strip()","lstrip()","rstrip('b ')","split('a')[0]","upper()","replace('a','q')"])
    if c==9: return '('+S(d-1)+' if '+B(d-1)+' else '+S(d-1)+')'
    if c==10: return P(d-1)+R.choice(['[1:]','[:2]','[:-1]','[0:1]'])
    if c==11: return P(d-1)+'|trim|upper'
    if c==12: return '('+S(d-1)+')'
def P(d):  # primary
    return R.choice(['messages[0].content','s',"' ab c '",'m.content','('+S(d)+')'])
def I(d):
    c=R.randrange(7 if d>0 else 3)
    if c==0: return str(R.randrange(4))
    if c==1: return R.choice(['loop.index0','loop.index','ns.i'])
    if c==2: return R.choice(['messages|length','s|length'])
    if c==3: return I(d-1)+' + '+I(d-1)
    if c==4: return I(d-1)+' - '+I(d-1)
    if c==5: return '('+I(d-1)+')'
    if c==6: return '('+I(d-1)+') % 3'
def B(d):
    c=R.randrange(17 if d>0 else 7)
    if c==0: return R.choice(['true','false','True','False','loop.first','loop.last','add_generation_prompt','ns.b'])
    if c==1: return R.choice(['undefd','none',"s","tools",'messages','m.tool_calls'])
    if c==2: return R.choice(['x','s','messages','m.nothing'])+' is '+R.choice(['','not '])+'defined'
    if c==3: return P(0)+' is '+R.choice(['','not '])+R.choice(['string','none','mapping','iterable','sequence'])
    if c==4: return R.choice(["'a'","'content'",'s'])+R.choice([' in ',' not in '])+R.choice(['m','messages[0].content','s','[s, "a"]'])
    if c==5: return 'm'+' is '+R.choice(['string','mapping'])
    if c==6: return R.choice(['loop.first','ns.b','true'])+' is '+R.choice(['true','false','not true'])
    if c==7: return I(d-1)+R.choice([' == ',' != ',' < ',' > ',' <= ',' >= '])+I(d-1)
    if c==8: return S(d-1)+R.choice([' == ',' != '])+S(d-1)
    if c in(9,10): return B(d-1)+' and '+B(d-1)
    if c in(11,12): return B(d-1)+' or '+B(d-1)
    if c in(13,14): return 'not '+B(d-1)
    if c==15: return '('+B(d-1)+')'+R.choice([' != ',' == '])+'('+B(d-1)+')'
    if c==16: return '('+B(d-1)+')'
ws=lambda: R.choice(['',' ','\n','  \n\t',' x ','\n\n','y\n  '])
def tag(b,inner): 
    return b[0]+R.choice(['','','-','+' if b[0]=='{%' else ''])+' '+inner+' '+R.choice(['','','-','+' if b[0]=='{%' else ''])+b[1]
def stmts(d,loop):
    out=''
    for _ in range(R.randrange(1,4)):
        out+=ws(); c=R.randrange(7)
        if c<3: out+=tag(('{{','}}'),S(2))
        elif c==3: out+=tag(('{{','}}'),I(2))
        elif c==4 and d>0: out+=tag(('{%','%}'),'if '+B(3))+stmts(d-1,loop)+(tag(('{%','%}'),'elif '+B(2))+stmts(d-1,loop) if R.random()<.3 else '')+(tag(('{%','%}'),'else')+stmts(d-1,loop) if R.random()<.5 else '')+tag(('{%','%}'),'endif')
        elif c==5: out+=tag(('{%','%}'),R.choice(['set s = '+S(2),'set ns.t = '+S(1),'set ns.i = '+I(1),'set ns.b = '+B(1),'set x = '+S(1)]))
        elif c==6 and d>0: out+=tag(('{%','%}'),'for m in messages'+R.choice(['','[1:]','[::-1]','[:-1]']))+stmts(d-1,True)+tag(('{%','%}'),'endfor')
        if R.random()<.1: out+='{#'+R.choice(['','-'])+' c '+R.choice(['','-'])+'#}'
    return out+ws()


MESSAGES = [
    [("system", " sys a"), ("user", "ba b")],
    [("user", "false"), ("assistant", " b\n"), ("user", "")],
    [("user", "a")],
]


def render(source, messages):
    template = _compile_jinja_template(source)
    template.environment.globals.pop("strftime_now", None)
    template.globals.pop("strftime_now", None)
    messages = [{"role": role, "content": content} for role, content in messages]
    return template.render(messages=messages, add_generation_prompt=True, bos_token="<s>", eos_token="</s>")


def case(name, source, messages):
    listed = [{"role": role, "content": content} for role, content in messages]
    try:
        return {"name": name, "template": source, "messages": listed, "output": render(TEMPLATES[source], messages)}
    except Exception as error:  # raise_exception of the template
        return {"name": name, "template": source, "messages": listed, "error": str(error)}


def main(out):
    cases = [case(f"{t} {c}", t, m) for t in list(TEMPLATES) for c, m in CONVERSATIONS.items()]
    made = 0
    while made < RANDOM:
        name = f"random{made}"
        head = "{% set s = 'a b' %}{% set ns = namespace(t='t', i=1, b=false) %}"
        TEMPLATES[name] = head + "{% for m in messages %}" + stmts(2, True) + "{% endfor %}"
        one = case(name, name, R.choice(MESSAGES))
        # Refused by design: what jinjava cannot be made to do alike.
        if "output" in one and len(TEMPLATES[name]) < 1500 and ") % 3" not in TEMPLATES[name] and " and " not in TEMPLATES[name]:
            cases.append(one)
            made += 1
    document = {"templates": {c["template"]: TEMPLATES[c["template"]] for c in cases}, "cases": cases}
    (out / "templates.json").write_text(json.dumps(document, indent=0, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
