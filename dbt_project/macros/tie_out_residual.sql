{#-
    CTEs up to residual_item: one row a figure, on what remains of its difference once numbers have been matched. Rests on the CTEs
    figure, figure_day, day_sum, detailed, sided, by_number and loose. A remainder that the next statement takes back is in transit; else the
    entry, the entries of one number, or the day whose amount it is are missing there; else it stands unnamed.
-#}
{% macro tie_out_residual() -%}
remaining as (
    select
        figure.figure_no, figure.fund_code, figure.statement_kind, figure.scope, figure.account_code, figure.institution_code,
        figure.period_from, figure.to_date, figure.event_seq,
        figure.difference - figure.carried - coalesce(named.effect, 0) as amount
    from figure
    left join (
        select by_number.figure_no, sum(by_number.effect) as effect from by_number group by by_number.figure_no
    ) as named on figure.figure_no = named.figure_no
),

turned as (
    select
        *,
        amount <> 0 and amount + lead(amount) over in_turn = 0 as is_taken_back,
        lead(figure_no) over in_turn as next_no
    from remaining
    window in_turn as (partition by fund_code, statement_kind, scope, account_code, institution_code order by to_date)
),

-- Of +a, −a, +a the first two belong together.
run as (
    select
        *,
        row_number() over (
            partition by fund_code, statement_kind, scope, account_code, institution_code, island, is_taken_back order by to_date
        ) as place
    from (
        select
            *,
            count(*) filter (where is_taken_back is not true) over (
                partition by fund_code, statement_kind, scope, account_code, institution_code order by to_date
            ) as island
        from turned
    ) as turned_island
),

pairing as (
    select figure_no as opened_no, next_no as cleared_no
    from run
    where is_taken_back and place % 2 = 1
),

candidate as (
    select
        figure_no, amount, 1 as preference, 'entry' as matched_by, match_number, day, occurred_on, entry_id, event_seq,
        1::bigint as ours_count
    from loose
    union all
    select
        figure_no, sum(amount), 2, 'number_sum', match_number, min(day), min(occurred_on),
        (array_agg(entry_id order by day, event_seq, entry_id))[1], min(event_seq), count(*)
    from loose
    where match_number is not null
    group by figure_no, match_number
    having count(*) > 1
    union all
    select
        figure_no, sum(amount), 3, 'day_sum', null, day, min(occurred_on),
        (array_agg(entry_id order by event_seq, entry_id))[1], min(event_seq), count(*)
    from loose
    group by figure_no, day
    having count(*) > 1
),

-- The entry, or entries, whose amount a remainder is: of the figure itself, or across a pair of its other half.
found as (
    select distinct on (wanted.figure_no)
        wanted.figure_no as for_figure_no, candidate.*,
        count(*) over (partition by wanted.figure_no, wanted.preference, candidate.preference) as candidates
    from (
        select opened_no as figure_no, opened_no as search_no, 1 as preference from pairing
        union all
        select opened_no, cleared_no, 2 from pairing
        union all
        select cleared_no, opened_no, 1 from pairing
        union all
        select cleared_no, cleared_no, 2 from pairing
        union all
        select remaining.figure_no, remaining.figure_no, 1
        from remaining
        where
            remaining.amount <> 0
            and not exists (select from pairing where remaining.figure_no in (pairing.opened_no, pairing.cleared_no))
    ) as wanted
    inner join remaining on wanted.search_no = remaining.figure_no
    inner join candidate
        on remaining.figure_no = candidate.figure_no and remaining.amount = candidate.amount
    order by
        wanted.figure_no asc, wanted.preference asc, candidate.preference asc, candidate.day desc,
        candidate.event_seq desc, candidate.entry_id desc
),

-- Booked in a later month, since its own was closed when it came.
booked_later as (
    select distinct on (remaining.figure_no)
        remaining.figure_no, sided.match_number, sided.day, sided.entry_id, sided.event_seq, -remaining.amount as amount,
        count(*) over (partition by remaining.figure_no) as candidates
    from remaining
    inner join sided
        on
            remaining.fund_code = sided.fund_code and remaining.statement_kind = sided.statement_kind and remaining.scope = sided.scope
            and remaining.account_code = sided.account_code and remaining.institution_code = sided.institution_code
    where
        remaining.scope = 'balance' and remaining.amount <> 0 and sided.side = 'ours' and sided.amount = -remaining.amount
        and sided.day > remaining.to_date and sided.occurred_on between remaining.period_from and remaining.to_date
        and not exists (select from pairing where remaining.figure_no in (pairing.opened_no, pairing.cleared_no))
    order by remaining.figure_no asc, sided.day asc, sided.event_seq asc, sided.entry_id asc
),

loose_sum as (
    select figure_no, count(*) as entry_count, sum(amount) as amount
    from loose
    group by figure_no
    union all
    select figure_day.figure_no, sum(day_sum.line_count)::bigint, sum(day_sum.amount)
    from figure_day
    inner join day_sum using (fund_code, statement_kind, scope, account_code, institution_code, day)
    where
        not exists (
            select from detailed
            where
                detailed.fund_code = figure_day.fund_code and detailed.statement_kind = figure_day.statement_kind
                and detailed.scope = figure_day.scope and detailed.account_code = figure_day.account_code
                and detailed.institution_code = figure_day.institution_code
        )
    group by figure_day.figure_no
),

residual_item as (
    select
        remaining.figure_no,
        case
            when remaining.amount = 0 then 'matched'
            when pairing.opened_no is not null or booked_later.figure_no is not null or found.occurred_on < remaining.period_from
                then 'in_transit'
            when found.figure_no is not null then 'missing_there'
            else 'amount_differs'
        end as status,
        case
            when remaining.amount = 0 then 'period_sum'
            when found.figure_no is not null then found.matched_by
            when booked_later.figure_no is not null then 'booked_later'
            when pairing.opened_no is not null then 'taken_back'
            else 'none'
        end as matched_by,
        coalesce(found.match_number, booked_later.match_number) as match_number,
        case
            when remaining.amount = 0 then coalesce(loose_sum.amount, 0)
            when found.figure_no is not null then found.amount
            else coalesce(booked_later.amount, -remaining.amount)
        end as amount,
        remaining.amount as effect,
        case
            when remaining.amount = 0 then remaining.to_date
            else coalesce(found.day, booked_later.day, remaining.to_date)
        end as day,
        coalesce(found.entry_id, booked_later.entry_id) as entry_id,
        case
            when remaining.amount = 0 then coalesce(loose_sum.entry_count, 0)
            when booked_later.figure_no is not null and found.figure_no is null then 1
            else coalesce(found.ours_count, 0)
        end as ours_count,
        coalesce(found.event_seq, booked_later.event_seq) as event_seq,
        remaining.event_seq as stated_seq,
        1::bigint as theirs_count,
        coalesce(found.candidates, booked_later.candidates, 0) as candidates
    from remaining
    left join pairing on remaining.figure_no in (pairing.opened_no, pairing.cleared_no)
    left join found on remaining.figure_no = found.for_figure_no and remaining.amount <> 0
    left join booked_later on remaining.figure_no = booked_later.figure_no
    left join loose_sum on remaining.figure_no = loose_sum.figure_no
)
{%- endmacro %}
