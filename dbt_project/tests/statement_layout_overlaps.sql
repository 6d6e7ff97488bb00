-- A statement line, and an account of it, has one version in any month: two would count the same movement twice.
with version as (
    select 'statement_line' as seed, line_code as key, effective_from, effective_to
    from {{ ref('statement_line') }}
    union all
    select 'statement_line_account', concat_ws('/', line_code, account_prefix, entry_kind, sub_fund), effective_from, effective_to
    from {{ ref('statement_line_account') }}
),

numbered as (
    select *, row_number() over (partition by seed, key order by effective_from, effective_to) as place
    from version
)

select one.seed, one.key, one.effective_from, other.effective_from as other_from
from numbered as one
inner join numbered as other
    on
        one.seed = other.seed
        and one.key = other.key
        and one.place < other.place
where
    coalesce(one.effective_to, 'infinity'::date) >= coalesce(other.effective_from, '-infinity'::date)
    and coalesce(other.effective_to, 'infinity'::date) >= coalesce(one.effective_from, '-infinity'::date)
