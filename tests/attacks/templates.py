"""Hostile chat templates. Each reaches the interpreter under a plain Jinja environment, or reads another file.

They are rendered nowhere in the tests; `benchmarks/bench_templates.py` renders them where nothing can be harmed.
"""

from __future__ import annotations

from tests.attacks.models import Case

GETCWD = "__init__.__globals__.os.getcwd()"

REACHING: dict[str, str] = {
    "plain": "{{ cycler." + GETCWD + " }}",
    "class-walk": "{{ ''.__class__.__mro__[1].__subclasses__()|length }}",
    "subscript": "{{ cycler['__init__']['__globals__']['os'].getcwd() }}",
    "hex-escape": r"{{ cycler['\x5f\x5finit\x5f\x5f']['\x5f\x5fglobals\x5f\x5f'].os.getcwd() }}",
    "unicode-escape": r"{{ cycler['\u005f\u005finit__'].__globals__.os.getcwd() }}",
    "named-escape": r"{{ ''['\N{LOW LINE}\N{LOW LINE}class\N{LOW LINE}\N{LOW LINE}'] }}",
    "octal-escape": r"{{ ''['\137\137class\137\137'] }}",
    "tilde": "{% set u='_'*2 %}{{ cycler[u~'init'~u][u~'globals'~u].os.getcwd() }}",
    "plus": "{% set u='_'+'_' %}{{ cycler[u+'init'+u][u+'globals'+u].os.getcwd() }}",
    "adjacent-texts": "{{ ''['__' 'class' '__'] }}",
    "reverse-filter": "{{ ''['__ssalc__'|reverse] }}",
    "reverse-slice": "{{ ''['__ssalc__'[::-1]] }}",
    "replace-filter": "{{ ''['!!class!!'|replace('!','_')] }}",
    "replace-method": "{{ ''['!!class!!'.replace('!','_')] }}",
    "join-filter": "{{ ''[['__','class','__']|join] }}",
    "join-separator": "{{ ''[['','class','']|join('__')] }}",
    "join-method": "{{ ''['__'.join(['','class',''])] }}",
    "format-filter": "{{ ''['%sclass%s'|format('__','__')] }}",
    "format-letter": "{{ ''[('%c'|format(95))*2 ~ 'class' ~ ('%c'|format(95))*2] }}",
    "percent": "{{ ''['%sclass%s' % ('__','__')] }}",
    "format-method-field": "{{ '{0.__class__}'.format(messages) }}",
    "format-method-index": "{{ '{0[__class__]}'.format({'__class__': cycler.__init__}) }}",
    "format-made": "{% set f='{0.__' ~ 'class__}' %}{{ f.format(messages) }}",
    "format-by-subscript": "{{ '{0.__class__}'['format'](messages) }}",
    "format-map": "{{ '{a.__class__}'.format_map({'a': messages}) }}",
    "lower-filter": "{{ ''['__CLASS__'|lower] }}",
    "lower-method": "{{ ''['__CLASS__'.lower()] }}",
    "trim": "{{ ''[' __class__ '|trim] }}",
    "title-case": "{{ ''['__CLASS__'.casefold()] }}",
    "default": "{{ ''[nothing|default('__class__')] }}",
    "or": "{{ ''[nothing or '__class__'] }}",
    "conditional": "{{ ''['__class__' if messages else 'role'] }}",
    "set": "{% set a='__class__' %}{{ ''[a] }}",
    "set-block": "{% set a %}__class__{% endset %}{{ ''[a] }}",
    "set-block-parts": "{% set a %}__{{ 'class' }}__{% endset %}{{ ''[a] }}",
    "set-tuple": "{% set a, b = '__class__', 1 %}{{ ''[a] }}",
    "with": "{% with a='__class__' %}{{ ''[a] }}{% endwith %}",
    "namespace": "{% set ns=namespace(a='__class__') %}{{ ''[ns.a] }}",
    "namespace-later": "{% set ns=namespace(a='') %}{% set ns.a='__class__' %}{{ ''[ns.a] }}",
    "namespace-grown": "{% set ns=namespace(a='') %}{% for c in ['__','class','__'] %}{% set ns.a=ns.a~c %}{% endfor %}"
    "{{ ''[ns.a] }}",
    "macro": "{% macro m() %}__class__{% endmacro %}{{ ''[m()] }}",
    "macro-argument": "{% macro m(a) %}{{ ''[a] }}{% endmacro %}{{ m('__class__') }}",
    "macro-default": "{% macro m(a='__class__') %}{{ ''[a] }}{% endmacro %}{{ m() }}",
    "macro-varargs": "{% macro m() %}{{ ''[varargs[0]] }}{% endmacro %}{{ m('__class__') }}",
    "macro-kwargs": "{% macro m() %}{{ ''[kwargs.a] }}{% endmacro %}{{ m(a='__class__') }}",
    "call-block": "{% macro m() %}{{ ''[caller()] }}{% endmacro %}{% call m() %}__class__{% endcall %}",
    "call-block-argument": "{% macro m() %}{{ caller('__class__') }}{% endmacro %}{% call(a) m() %}{{ ''[a] }}{% endcall %}",  # noqa: E501
    "loop": "{% for a in ['__class__'] %}{{ ''[a] }}{% endfor %}",
    "loop-unpacked": "{% for a, b in [('__class__', 1)] %}{{ ''[a] }}{% endfor %}",
    "loop-letters": "{% for a, b in ['x_'] %}{{ ''[b~b~'class'~b~b] }}{% endfor %}",
    "loop-keys": "{% for a in {'__class__': 1} %}{{ ''[a] }}{% endfor %}",
    "loop-items": "{% for a, b in {'x': '__class__'}.items() %}{{ ''[b] }}{% endfor %}",
    "list-element": "{{ ''[['__class__'][0]] }}",
    "list-first": "{{ ''[['__class__']|first] }}",
    "list-appended": "{% set l=[] %}{% do l.append('__class__') %}{{ ''[l[0]] }}",
    "list-appended-under-other-name": "{% set l=[] %}{% set k=l %}{% do k.append('__class__') %}{{ ''[l[0]] }}",
    "list-of-messages": "{% do messages.append('__class__') %}{{ ''[messages[-1]] }}",
    "mapping-value": "{{ ''[{'a': '__class__'}.a] }}",
    "mapping-get": "{{ ''[{'a': '__class__'}.get('a')] }}",
    "mapping-get-default": "{{ ''[{}.get('a', '__class__')] }}",
    "mapping-updated": "{% set d={} %}{% do d.update({'a': '__class__'}) %}{{ ''[d.a] }}",
    "mapping-function": "{{ ''[dict(a='__class__').a] }}",
    "cycler-value": "{{ ''[cycler('__class__').next()] }}",
    "generator-text": "{% set u=(()|select|string|list)[24] %}{{ ''[u~u~'class'~u~u] }}",
    "lipsum-text": "{% set u=(lipsum|string)[18] %}{{ ''[u~u~'class'~u~u] }}",
    "set-block-filtered": "{% set a|reverse %}__ssalc__{% endset %}{{ ''[a] }}",
    "call-block-default": "{% macro m() %}{{ caller() }}{% endmacro %}{% call(a='__class__') m() %}{{ ''[a] }}{% endcall %}",  # noqa: E501
    "call-block-named": "{% macro m() %}{{ caller(a='__class__') }}{% endmacro %}{% call(a) m() %}{{ ''[a] }}{% endcall %}",  # noqa: E501
    "loop-recursive": "{% for a in ['x'] recursive %}{{ ''[a] }}{% if a=='x' %}{{ loop(['__class__']) }}{% endif %}{% endfor %}",  # noqa: E501
    "loop-next": "{% for a in ['x','__class__'] %}{{ ''[loop.nextitem] }}{% endfor %}",
    "loop-cycle": "{% for a in [1] %}{{ ''[loop.cycle('__class__')] }}{% endfor %}",
    "cycler-current": "{% set c=cycler('__class__') %}{{ ''[c.current] }}",
    "grouper": "{% for g in [{'k': '__class__'}]|groupby('k') %}{{ ''[g.grouper] }}{% endfor %}",
    "mapping-of-pairs": "{{ ''[dict([('a', '__class__')]).a] }}",
    "mapping-updated-by-pairs": "{% set d={} %}{% do d.update([('a', '__class__')]) %}{{ ''[d.a] }}",
    "mapping-set-default": "{% set d={} %}{% do d.setdefault('a', '__class__') %}{{ ''[d.a] }}",
    "mapping-copied": "{{ ''[{'a': '__class__'}.copy().a] }}",
    "mapping-by-map": "{{ ''[[{'a': '__class__'}]|map(attribute='a')|first] }}",
    "default-by-map": "{{ ''[[nothing]|map('default', '__class__')|first] }}",
    "batch": "{{ ''[(['__class__']|batch(1)|first)[0]] }}",
    "json": "{{ ''[('\"__class__\"'|tojson|string)[3:-3]] }}",
    "split": "{{ ''['x,__class__'.split(',')[1]] }}",
    "shadowed-function": "{% if false %}{% set cycler=1 %}{% endif %}{{ cycler[messages[0].content] }}",
    "attr-filter": "{{ ''|attr('__class__') }}",
    "attr-filter-made": "{{ ''|attr('__cla'~'ss__') }}",
    "attr-by-map": "{{ ['']|map('attr','__class__')|list }}",
    "attr-by-map-of-map": "{{ [['']]|map('map','attr','__class__')|map('list')|list }}",
    "map-attribute": "{{ ['']|map(attribute='__class__')|list }}",
    "map-attribute-dotted": "{{ ['']|map(attribute='__class__.__base__')|list }}",
    "map-attribute-made": "{{ ['']|map(attribute='__cla'~'ss__')|list }}",
    "map-filter-made": "{{ ['']|map('at'~'tr','__class__')|list }}",
    "map-arguments-from-mapping": "{{ ['']|map(**{'attribute': '__class__'})|list }}",
    "groupby": "{{ ['']|groupby('__class__') }}",
    "sort-attribute": "{{ ['','a']|sort(attribute='__class__.__name__') }}",
    "sort-attribute-by-place": "{{ ['','a']|sort(false,false,'__class__.__name__') }}",
    "unique-attribute": "{{ ['','a']|unique(attribute='__class__.__name__')|list }}",
    "min-attribute": "{{ ['','a']|min(attribute='__class__.__name__') }}",
    "sum-attribute": "{{ [1]|sum(attribute='__class__.__abs__', start=0) }}",
    "selectattr": "{{ ['']|selectattr('__class__')|list }}",
    "rejectattr": "{{ ['']|rejectattr('__class__','none')|list }}",
    "self": "{{ self._TemplateReference__context }}",
    "macro-as-value": "{% macro m() %}{% endmacro %}{{ m._func }}",
    "joiner": "{{ joiner.__init__ }}",
    "call-from-container": "{{ [cycler.__init__][0].__globals__ }}",
    "token-of-the-model": "{{ lipsum[bos_token].os.getcwd() }}",
    "token-put-together": "{{ ''[pad_token ~ 'class' ~ pad_token] }}",
    "string-of-mapping": "{{ ''[({'__class__':1}|string)[2:11]] }}",
    "string-of-list": "{{ ''[(['__class__']|string)[2:11]] }}",
    "json-of-list": "{{ ''[(['__class__']|tojson|string)[2:11]] }}",
    "pprint-list": "{{ ''[(['__class__']|pprint)[2:11]] }}",
    "urlencode-map": "{{ ''[({'__class__':''}|urlencode)[:-1]] }}",
    "xmlattr": "{{ ''[({'__class__':1}|xmlattr|string)[1:10]] }}",
    "nfkc-keyword": "{{ ['']|map(\uff41ttribute='__class__')|list }}",
    "nfkc-var": "{% set \uff58='__class__' %}{{ ''[x] }}",
    "nfkc-var2": "{% set x='a' %}{% set \uff58='__class__' %}{{ ''[x] }}",
    "nfkc-call": "{% macro m(a) %}{{ ''[a] }}{% endmacro %}{{ m(\uff41='__class__') }}",
    "nfkc-ns": "{% set n=namespace(\uff41='__class__') %}{{ ''[n.a] }}",
    "sum-start": "{{ ''[([]|sum(start=['__class__']))[0]] }}",
    "ns-format": "{% set ns=namespace(upper='{0.__class__}'.format) %}{{ ns.upper(messages) }}",
    "dict-format": "{{ {'upper': '{0.__class__}'.format}.upper(messages) }}",
    "dict-format2": "{{ dict(upper='{0.__class__}'['format']).upper(messages) }}",
    "map-format": "{{ {'upper': (['{0.__class__}']|map(attribute='format')|first)}.upper(messages) }}",
    "dict-kw-keys": "{% for k in dict(__class__=1) %}{{ ''[k] }}{% endfor %}",
    "macro-kw-keys": "{% macro m() %}{% for k in kwargs %}{{ ''[k] }}{% endfor %}{% endmacro %}{{ m(__class__=1) }}",
    "update-kw-keys": "{% set d={} %}{% do d.update(__class__=1) %}{% for k in d %}{{ ''[k] }}{% endfor %}",
    "kw-keys-list": "{{ ''[dict(__class__=1)|list|first] }}",
    "kw-keys-items": "{{ ''[(dict(__class__=1)|items|first)[0]] }}",
    "loop-iterate": "{% for a in ['x','__class__'] %}{% for b in loop %}{{ ''[b[0]] }}{% endfor %}{% endfor %}",
    "loop-list": "{% for a in ['x','__class__'] %}{{ ''[(loop|list)[0][0]] }}{% endfor %}",
    "loop-first": "{% for a in ['x','__class__'] %}{% set p=loop|first %}{{ ''[p[0]] }}{% endfor %}",
    "variable-of-the-model-and-argument": "{% macro m(foo) %}{% endmacro %}{{ m('a') }}{{ ''[foo] }}",
    "variable-of-the-model-and-loop": "{% for foo in ['a'] %}{% endfor %}{{ ''[foo] }}",
    "variable-of-the-model-unless-set": "{% if messages[9] %}{% set foo = 'a' %}{% endif %}{{ ''[foo] }}",
    "variable-of-the-model-or-set": "{% if tools %}{% set foo = 'a' %}{% elif x %}{% else %}"
    "{% set foo = 'b' %}{% endif %}{{ ''[foo] }}",
    "variable-of-the-model-before-set": "{{ ''[foo] }}{% set foo = 'a' %}",
    "variable-of-the-model-set-in-a-scope": "{% with %}{% set foo = 'a' %}{% endwith %}{{ ''[foo] }}",
    "variable-of-the-model-in-a-test": "{% for foo in ['a'] if ''[bar] %}{% endfor %}{% set bar = 'a' %}",
    "variable-of-the-model": "{{ ''[foo] }}",
    "string-dict-split": "{{ ''[({'__class__':1}|string).split(\"'\")[1]] }}",
    "center-list": "{{ ''[(['__class__']|center(30)).split(\"'\")[1]] }}",
    "replace-list": "{{ ''[['__class__']|replace('[\\'','')|replace('\\']','')] }}",
    "lower-list": "{{ ''[(['__class__']|lower)[2:11]] }}",
    "string-of-messages": "{% do messages.append('__class__') %}{{ ''[(messages|string)[-11:-2]] }}",
    "nfkc-attribute-of-sort": "{{ ['','a']|sort(\uff41ttribute='__class__.__name__') }}",
    "in-a-test": "{{ 'y' if ''.__class__ is defined }}",
    "in-a-condition": "{% if ''.__class__ %}y{% endif %}",
    "in-a-generation": "{% generation %}{{ ''.__class__ }}{% endgeneration %}",
    "in-a-filter-block": "{% filter replace('a', ''.__class__.__name__) %}a{% endfilter %}",
    "in-a-slice": "{{ 'abc'[:''.__class__.__name__|length] }}",
}
"""Templates that reach an attribute, and so the interpreter; several are the same way by other spellings."""

FILES: dict[str, str] = {
    "include": "{% include 'x' %}",
    "include-list": "{% include ['x','y'] ignore missing %}",
    "import": "{% import 'x' as y %}",
    "from-import": "{% from 'x' import y %}",
    "extends": "{% extends 'x' %}",
}
"""Templates that read another file."""

WORK: dict[str, str] = {
    "range": "{% for i in range(10**9) %}{% endfor %}",
    "range-nested": "{% for i in range(10000) %}{% for j in range(10000) %}x{% endfor %}{% endfor %}",
    "range-by-name": "{% set n=100000 %}{% set m=n*n %}{% for i in range(m) %}x{% endfor %}",
    "repeat": "{{ 'a'*10**9 }}",
    "repeat-repeated": "{{ 'a'*10000*10000 }}",
    "doubling": "{% set ns=namespace(x='a') %}{% for i in range(100) %}{% set ns.x=ns.x~ns.x %}{% endfor %}",
    "doubling-in-a-row": "{% set a='aaaaaaaaaa' %}"
    + "".join(
        f"{{% set {new}={old}~{old}~{old}~{old}~{old} %}}"
        for old, new in zip("abcdefghijkl", "bcdefghijklm", strict=True)
    ),
    "two-in-turn": "{% set n=namespace(a='a',b='b') %}{% for i in range(99) %}{% set n.a=n.a~n.b %}{% set n.b=n.b~n.a %}"  # noqa: E501
    "{% endfor %}",
    "multiplied": "{% set ns=namespace(x=2) %}{% for i in range(99) %}{% set ns.x=ns.x*ns.x %}{% endfor %}",
    "list-into-itself": "{% set l=[1] %}{% for x in l %}{% do l.append(x) %}{% endfor %}",
    "macro-endless": "{% macro m(n) %}{{ m(n+1) }}{{ m(n+1) }}{% endmacro %}{{ m(1) }}",
    "macro-row": "{% macro a() %}x{% endmacro %}"
    + "".join(
        f"{{% macro {new}() %}}{('{{ ' + old + '() }}') * 10}{{% endmacro %}}"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "{{ i() }}",
    "width": "{{ 'a'.ljust(10**9) }}",
    "width-of-format": "{{ '%1000000000d' % 1 }}",
    "indent": "{{ 'a'|indent(1000000000) }}",
    "power": "{{ 9**9**9 }}",
    "lipsum": "{{ lipsum(n=1000000000) }}",
}
"""Templates that do not come to an end."""


def cases() -> list[Case]:
    """Return all of them as files of their own; a template for more work than is allowed may be undecided."""
    found = [
        Case("templates", name, "chat_template.jinja", text.encode()) for name, text in {**REACHING, **FILES}.items()
    ]
    return found + [Case("work", f"template-{name}", "m.jinja", text.encode()) for name, text in WORK.items()]
