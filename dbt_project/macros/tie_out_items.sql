{#-
    Body of the tie-out's table function, one row an item: `name` is the function, `statements`, `lines` and `turnover` what it reads,
    published for readers and built for the gate. With `by_kind` the function has a third argument, and reads the statements of that kind only.
    What is qualified by the name is an argument of the function.
-#}
{% macro tie_out_items(name, statements, lines, turnover, by_kind=false) -%}
{#- Expressions of the argument, not a row to be joined with: a bound that comes by a join is applied after the whole history is read. -#}
{%- set asked_month = "date_trunc('month', " ~ name ~ ".month::timestamp)" -%}
{%- set first_day = "(" ~ asked_month ~ " - interval '1 month')::date" -%}
{%- set after_last_day = "(" ~ asked_month ~ " + interval '2 months')::date" -%}
{%- set after_last_booking = "(" ~ asked_month ~ " + interval '3 months')::date" -%}
{%- set lines_read = "money.region_code = " ~ name ~ ".region and money.fund_code in ('EMI', 'MAT')"
    ~ " and money.accounting_month >= " ~ first_day ~ " and money.accounting_month < " ~ after_last_booking -%}
with
-- What outside parties say of the month, the one before and the one after, the number of a single movement if they give one.
stated as materialized (
    select
        said.fund_code, said.statement_kind, coalesce(said.account_code, '') as account_code,
        coalesce(said.institution_code, '') as institution_code, said.counterparty, said.event_seq,
        coalesce(said.payment_no, said.receipt_no) as match_number,
        said.statement_kind = 'bank_balance' as is_balance,
        case
            when said.statement_kind = 'bank_balance' then 'balance'
            when said.is_month_total and said.payment_no is null and said.receipt_no is null then 'month'
            else 'day'
        end as scope,
        case when said.is_month_total and said.statement_kind <> 'bank_balance' then said.accounting_month else said.stated_on end
            as from_date,
        case
            when said.is_month_total and said.statement_kind <> 'bank_balance'
                then (said.accounting_month + interval '1 month' - interval '1 day')::date
            else said.stated_on
        end as to_date,
        said.stated_on, said.amount,
        said.amount - lag(said.amount) over (
            partition by said.fund_code, said.statement_kind, said.account_code, said.institution_code
            order by said.stated_on, said.event_seq
        ) as moved
    from {{ statements }} as said
    where
        said.region_code = {{ name }}.region
        and said.accounting_month >= {{ first_day }}
        and said.accounting_month < {{ after_last_day }}
        {%- if by_kind %}
        and said.statement_kind = {{ name }}.kind
        {%- endif %}
),

-- A bank's last balance of a day; a total of a month or day; single movements of a day for which there is no total.
stated_figure as (
    (
        select distinct on (fund_code, account_code, stated_on)
            fund_code, statement_kind, scope, account_code, institution_code, counterparty, stated_on as from_date, stated_on as to_date,
            amount, event_seq
        from stated
        where is_balance
        order by fund_code asc, account_code asc, stated_on asc, event_seq desc
    )
    union all
    select
        fund_code, statement_kind, scope, account_code, institution_code, min(counterparty),
        case scope when 'day' then stated_on else from_date end, case scope when 'day' then stated_on else to_date end,
        coalesce(sum(amount) filter (where match_number is null), sum(amount)), min(event_seq)
    from stated as said
    where
        not is_balance
        and (
            match_number is null
            or not exists (
                select from stated as whole
                where
                    whole.match_number is null and whole.scope = 'month'
                    and whole.fund_code = said.fund_code and whole.statement_kind = said.statement_kind
                    and whole.account_code = said.account_code and whole.institution_code = said.institution_code
                    and said.stated_on between whole.from_date and whole.to_date
            )
        )
    group by
        fund_code, statement_kind, scope, account_code, institution_code,
        case scope when 'day' then stated_on else from_date end, case scope when 'day' then stated_on else to_date end
),

figure_key as (
    select distinct fund_code, statement_kind, scope, account_code, institution_code from stated_figure
),

{{ tie_out_day_sum(lines, lines_read) }},

opening as (
    select movement.fund_code, movement.account_code, sum(movement.debit_amount - movement.credit_amount) as amount
    from {{ turnover }} as movement
    where movement.region_code = {{ name }}.region and movement.accounting_month < {{ first_day }}
    group by movement.fund_code, movement.account_code
),

compared as (
    select
        said.*,
        row_number() over (
            order by said.fund_code, said.statement_kind, said.scope, said.account_code, said.institution_code, said.to_date
        ) as figure_no,
        case
            when said.scope <> 'balance' then said.from_date
            else coalesce(
                lag(said.to_date + 1) over (
                    partition by said.fund_code, said.statement_kind, said.scope, said.account_code order by said.to_date
                ),
                date_trunc('month', said.to_date::timestamp)::date
            )
        end as period_from,
        (
            case said.scope when 'balance' then coalesce(opening.amount, 0) else 0 end
            + coalesce((
                select sum(day_sum.amount) from day_sum
                where
                    day_sum.fund_code = said.fund_code and day_sum.statement_kind = said.statement_kind and day_sum.scope = said.scope
                    and day_sum.account_code = said.account_code and day_sum.institution_code = said.institution_code
                    and day_sum.day <= said.to_date
                    and (said.scope = 'balance' or day_sum.day >= said.from_date)
            ), 0)
        ) as ours_amount
    from stated_figure as said
    left join opening on said.fund_code = opening.fund_code and said.account_code = opening.account_code
),

figure as materialized (
    select
        compared.*,
        ours_amount - amount as difference,
        coalesce(
            case scope
                when 'balance'
                    then lag(ours_amount - amount) over (partition by fund_code, account_code, scope, statement_kind order by to_date)
            end, 0
        ) as carried
    from compared
),

figure_day as (
    select
        figure.figure_no, figure.fund_code, figure.statement_kind, figure.scope, figure.account_code, figure.institution_code,
        listed.day::date as day
    from figure
    cross join lateral generate_series(figure.period_from::timestamp, figure.to_date::timestamp, interval '1 day') as listed (day)
),

{{ tie_out_ours(lines, lines_read) }},

-- Both sides of every number that the outside party gives, and which of them agree one to one.
sided as (
    select
        'ours' as side, ours.fund_code, ours.statement_kind, ours.scope, ours.account_code, ours.institution_code,
        figure_day.figure_no, ours.match_number, ours.amount, ours.day, ours.occurred_on, ours.entry_id, ours.event_seq
    from ours
    left join figure_day using (fund_code, statement_kind, scope, account_code, institution_code, day)
    union all
    select
        'theirs', said.fund_code, said.statement_kind, figure_day.scope, said.account_code, said.institution_code,
        figure_day.figure_no, said.match_number, case when said.is_balance then said.moved else said.amount end,
        said.stated_on, said.stated_on as occurred_on, null, said.event_seq
    from stated as said
    inner join figure_day
        on
            said.fund_code = figure_day.fund_code and said.statement_kind = figure_day.statement_kind
            and said.account_code = figure_day.account_code and said.institution_code = figure_day.institution_code
            and said.stated_on = figure_day.day
            and (said.scope = figure_day.scope or (said.scope = 'day' and figure_day.scope = 'month' and not exists (
                select from figure as own
                where
                    own.scope = 'day' and own.fund_code = said.fund_code and own.statement_kind = said.statement_kind
                    and own.account_code = said.account_code and own.institution_code = said.institution_code
                    and own.to_date = said.stated_on
            )))
    where said.match_number is not null and (said.moved is not null or not said.is_balance)
),

ranked as (
    select
        *,
        row_number() over (
            partition by fund_code, statement_kind, scope, account_code, institution_code, match_number, amount, side
            order by day, event_seq, entry_id
        ) as place,
        least(
            count(*) filter (where side = 'ours') over same_amount,
            count(*) filter (where side = 'theirs') over same_amount
        ) as pairs,
        count(*) filter (where side = 'theirs') over (
            partition by fund_code, statement_kind, scope, account_code, institution_code, match_number
        ) as theirs_of_number
    from sided
    where match_number in (select said.match_number from stated as said where said.match_number is not null)
    window
        same_amount as (partition by fund_code, statement_kind, scope, account_code, institution_code, match_number, amount)
),

grouped as (
    select
        fund_code, statement_kind, scope, account_code, institution_code, match_number,
        case when place <= pairs then amount end as pair_amount, case when place <= pairs then place else 0 end as pair_no,
        coalesce(sum(amount) filter (where side = 'ours'), 0) as ours_amount,
        coalesce(sum(amount) filter (where side = 'theirs'), 0) as theirs_amount,
        count(*) filter (where side = 'ours') as ours_count,
        count(*) filter (where side = 'theirs') as theirs_count,
        (array_agg(entry_id order by day, event_seq, entry_id) filter (where side = 'ours'))[1] as entry_id,
        (array_agg(event_seq order by day, event_seq, entry_id) filter (where side = 'ours'))[1] as event_seq,
        (array_agg(event_seq order by day, event_seq) filter (where side = 'theirs'))[1] as stated_seq,
        coalesce(min(day) filter (where side = 'ours'), min(day)) as day
    from ranked
    where theirs_of_number > 0
    group by 1, 2, 3, 4, 5, 6, 7, 8
),

by_number as (
    select
        ranked.figure_no, grouped.match_number, grouped.entry_id, grouped.ours_count, grouped.event_seq, grouped.stated_seq,
        grouped.theirs_count, grouped.day, grouped.pair_no,
        case when grouped.ours_count > 0 then grouped.ours_amount else grouped.theirs_amount end as amount,
        sum(case ranked.side when 'ours' then ranked.amount else -ranked.amount end) as effect,
        case
            when grouped.ours_count = 0 then 'missing_here'
            when grouped.theirs_count = 0 then 'missing_there'
            when grouped.ours_amount <> grouped.theirs_amount then 'amount_differs'
            when sum(case ranked.side when 'ours' then ranked.amount else -ranked.amount end) <> 0 then 'in_transit'
            else 'matched'
        end as status
    from ranked
    inner join grouped
        on
            ranked.fund_code = grouped.fund_code and ranked.statement_kind = grouped.statement_kind and ranked.scope = grouped.scope
            and ranked.account_code = grouped.account_code and ranked.institution_code = grouped.institution_code
            and ranked.match_number = grouped.match_number
            and case when ranked.place <= ranked.pairs then ranked.amount end is not distinct from grouped.pair_amount
            and case when ranked.place <= ranked.pairs then ranked.place else 0 end = grouped.pair_no
    where ranked.figure_no is not null
    group by
        ranked.figure_no, grouped.match_number, grouped.entry_id, grouped.ours_count, grouped.event_seq, grouped.stated_seq,
        grouped.theirs_count, grouped.day, grouped.pair_no, grouped.ours_amount, grouped.theirs_amount
),

-- What no number has matched: entries without one, and those whose number the outside party does not give.
loose as materialized (
    select sided.figure_no, sided.match_number, sided.amount, sided.day, sided.occurred_on, sided.entry_id, sided.event_seq
    from sided
    where
        sided.side = 'ours' and sided.figure_no is not null
        and not exists (
            select from grouped
            where
                grouped.match_number = sided.match_number
                and grouped.fund_code = sided.fund_code and grouped.statement_kind = sided.statement_kind
                and grouped.scope = sided.scope and grouped.account_code = sided.account_code
                and grouped.institution_code = sided.institution_code
        )
),

{{ tie_out_residual() }},

item as (
    select
        figure_no, status, case when pair_no > 0 then 'number' else 'number_sum' end as matched_by, match_number, amount, effect, day,
        entry_id, ours_count, event_seq, stated_seq, theirs_count, 1 as candidates
    from by_number
    union all
    select
        figure_no, status, matched_by, match_number, amount, effect, day, entry_id, ours_count, event_seq, stated_seq, theirs_count,
        candidates
    from residual_item
),

judged as (
    select
        figure.figure_no,
        coalesce(sum(item.effect) filter (where item.matched_by <> 'none'), 0) as explained,
        coalesce(sum(item.effect) filter (where item.status = 'in_transit'), 0) as in_transit,
        count(*) filter (where item.status <> 'matched') as item_count,
        count(*) filter (where item.status not in ('matched', 'in_transit')) as open_count
    from figure
    inner join item on figure.figure_no = item.figure_no
    group by figure.figure_no
)

select
    figure.figure_no, figure.fund_code, figure.statement_kind, figure.scope, nullif(figure.account_code, ''),
    nullif(figure.institution_code, ''), figure.counterparty, figure.period_from, figure.to_date, figure.ours_amount, figure.amount,
    figure.difference, figure.carried, figure.event_seq,
    item.status, item.matched_by, item.match_number, item.amount as item_amount, item.effect, item.day, item.entry_id,
    item.ours_count, item.event_seq as entry_seq, item.stated_seq, item.theirs_count, item.candidates,
    judged.explained, judged.in_transit, judged.item_count,
    case
        when figure.difference - figure.carried <> judged.explained then 'unexplained'
        -- What is wrong on both sides and adds up to nothing is still wrong.
        when judged.open_count > 0 and judged.explained = judged.in_transit then 'offsetting'
        when figure.difference = 0 and judged.explained = judged.in_transit then 'agreed'
        when judged.item_count > 0 then 'explained'
        when figure.difference <> 0 then 'carried'
        else 'agreed'
    end as figure_status
from figure
inner join item on figure.figure_no = item.figure_no
inner join judged on figure.figure_no = judged.figure_no
where date_trunc('month', figure.to_date::timestamp) = {{ asked_month }}
{%- endmacro %}
