{#- A key that tells a finding apart and names nobody. -#}
{% macro hidden_key(parts) -%}
    left(md5(concat_ws('|', {{ parts | join(', ') }})), 16)
{%- endmacro %}

{% macro yuan_text(amount) -%}
    to_char({{ amount }}, 'FM999,999,999,990.00')
{%- endmacro %}

{% macro percent_text(share) -%}
    to_char(100 * {{ share }}, 'FM990.0')
{%- endmacro %}

{#- What a rule has found, with what has been recovered of the claims concerned. What has come back needs nobody any more:
    `any`: all that came back of the claims, where all of them are in doubt; `whole`: claims that came back in full, where one of several
    is in doubt and a part that came back of any has other reasons; `first`: what came back of the first claim named; `shown`: nothing
    ends what an institution does, it is shown beside.
    The fingerprint is of what was found and not of what has come back since: a recovery is no new fact. -#}
{% macro monitoring_found(found, recovered='any') -%}
    select
        hit.region_code,
        hit.rule_code,
        hit.finding_key,
        hit.institution_code,
        hit.employer_no,
        hit.persons,
        hit.claims,
        hit.amount::numeric(18, 2) as amount,
        hit.first_on,
        hit.last_on,
        hit.said_zh,
        hit.said_en,
        coalesce(taken.amount, 0)::numeric(18, 2) as recovered_amount,
        left(md5(concat_ws(
            '|', hit.amount::numeric(18, 2), array_to_string(hit.claims, ','), array_to_string(hit.persons, ','), hit.first_on, hit.last_on
        )), 16) as evidence
    from {{ found }} as hit
    left join limits on hit.region_code = limits.region_code
    left join lateral (
        select
            sum(claim.amount) as amount,
            {%- if recovered == 'whole' %}
                sum(claim.amount) filter (where claim.amount >= claim.paid_amount) as counted
            {%- else %}
                sum(claim.amount) as counted
            {%- endif %}
        from (
            select
                turned.claim_no,
                sum(turned.taken_back_pooled_amount + turned.taken_back_personal_amount) as amount,
                sum(turned.paid_pooled_amount + turned.paid_personal_amount) as paid_amount
            from {{ ref('claim_turnover') }} as turned
            where
                turned.region_code = hit.region_code
                and turned.claim_no = {{ 'hit.claims[1]' if recovered == 'first' else 'any(hit.claims)' }}
                and turned.last_seq <= limits.seq
            group by turned.claim_no
            having sum(turned.taken_back_pooled_amount + turned.taken_back_personal_amount) > 0
        ) as claim
    ) as taken on true
    {%- if recovered != 'shown' %}
    where coalesce(taken.counted, 0) < hit.amount or hit.amount = 0
    {%- endif %}
{%- endmacro %}
