{#-
    Joins of an event to the payment or premium that it corrects, if it is a correction: corrected. A write-back corrects the payment
    behind the returned one; any other correction the fact that it names.
-#}
{% macro join_corrected(event) -%}
    left join {{ source('events', 'event') }} as named
        on
            {{ event }}.region_code = named.region_code
            and {{ event }}.original_seq = named.seq
            and {{ event }}.event_type in (
                'contribution.refunded', 'claim.reversed', 'claim.recovered', 'advance.returned', 'return.written_back'
            )
    left join {{ source('events', 'event') }} as corrected
        on
            named.region_code = corrected.region_code
            and corrected.seq = case when {{ event }}.event_type = 'return.written_back' then named.original_seq else named.seq end
{%- endmacro %}
