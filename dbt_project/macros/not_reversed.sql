{#-
    Condition on a payment, or offset of an advance: the bank made it, as far as is known at `known_seq`. A reversal (`claim.reversed`)
    says that it never did. What was paid and came back later, recovered or returned, was paid: it meets the condition.
    `payment` is the alias of the event, `known_seq` the newest seq that counts.
-#}
{% macro not_reversed(payment, known_seq) -%}
not exists (
    select from {{ source('events', 'event') }} as reversal
    where
        reversal.region_code = {{ payment }}.region_code
        and reversal.original_seq = {{ payment }}.seq
        and reversal.event_type = 'claim.reversed'
        and reversal.seq <= {{ known_seq }}
)
{%- endmacro %}
