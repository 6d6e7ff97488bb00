-- noqa: disable=ST05
with head as (
    {{ ledger_head('published') }}
),

region as (
    select distinct on (known.region_code)
        known.region_code, known.settlement_platform_status, known.merger_date
    from {{ ref('policy_region') }} as known
    inner join head on known.region_code = head.region_code
    order by known.region_code asc, known.known_from desc
),

platform as (
    select distinct on (known.region_code, known.source_system)
        known.region_code, known.source_system, known.title_zh, known.title_en, known.migrated_on, known.status
    from {{ ref('policy_settlement_platform') }} as known
    inner join head on known.region_code = head.region_code
    order by known.region_code asc, known.source_system asc, known.known_from desc
),

paid as (
    select
        turnover.region_code,
        turnover.source_system,
        turnover.paid_month,
        sum(turnover.payment_count) as payment_count,
        sum(turnover.paid_amount) as amount
    from {{ ref('maternity_source_turnover') }} as turnover
    inner join head
        on turnover.region_code = head.region_code and turnover.last_seq <= head.seq and {{ readable('turnover.region_code') }}
    group by turnover.region_code, turnover.source_system, turnover.paid_month
),

-- The last total of each institution, else its last figure of each day or number.
figure as (
    select distinct on (
        said.region_code, said.source_system, said.accounting_month, said.fund_code, said.institution_code, said.counterparty,
        part.is_total, part.stated_on, part.number
    )
        said.region_code, said.source_system, said.accounting_month, said.fund_code, said.institution_code, said.counterparty,
        said.amount, part.is_total
    from ({{ outside_statement('published') }}) as said
    inner join platform on said.region_code = platform.region_code and said.source_system = platform.source_system
    cross join
        lateral (
            select
                coalesce(said.payment_no, said.receipt_no) as number,
                said.is_month_total and coalesce(said.payment_no, said.receipt_no) is null as is_total,
                case when not said.is_month_total then said.stated_on end as stated_on
        ) as part
    where said.statement_kind = 'institution_settled'
    order by
        said.region_code asc, said.source_system asc, said.accounting_month asc, said.fund_code asc, said.institution_code asc,
        said.counterparty asc, part.is_total asc, part.stated_on asc, part.number asc, said.event_seq desc
),

stated as (
    select counted.region_code, counted.source_system, counted.accounting_month, sum(counted.amount) as amount
    from (
        select
            figure.*,
            bool_or(figure.is_total) over (
                partition by
                    figure.region_code, figure.source_system, figure.accounting_month, figure.fund_code, figure.institution_code,
                    figure.counterparty
            ) as has_total
        from figure
    ) as counted
    where counted.is_total = counted.has_total
    group by counted.region_code, counted.source_system, counted.accounting_month
),

month as (
    select paid.region_code, paid.paid_month as month from paid
    union
    select stated.region_code, stated.accounting_month from stated
),

compared as (
    select
        platform.region_code,
        platform.source_system,
        platform.title_zh,
        platform.title_en,
        platform.migrated_on,
        platform.status,
        month.month,
        stated.amount as stated_amount,
        coalesce(of_platform.amount, 0) as platform_amount,
        coalesce(of_platform.payment_count, 0) as platform_payment_count,
        coalesce(of_all.amount, 0) as region_amount,
        coalesce(month.month >= platform.migrated_on, false) as is_after
    from platform
    inner join month on platform.region_code = month.region_code
    left join stated
        on
            platform.region_code = stated.region_code and platform.source_system = stated.source_system
            and month.month = stated.accounting_month
    left join paid as of_platform
        on
            platform.region_code = of_platform.region_code and platform.source_system = of_platform.source_system
            and month.month = of_platform.paid_month
    left join (
        select paid.region_code, paid.paid_month, sum(paid.amount) as amount
        from paid
        group by paid.region_code, paid.paid_month
    ) as of_all on month.region_code = of_all.region_code and month.month = of_all.paid_month
)

select
    compared.region_code,
    compared.source_system,
    compared.title_zh,
    compared.title_en,
    region.settlement_platform_status,
    compared.migrated_on,
    compared.status as migration_status,
    compared.month,
    compared.stated_amount::numeric(18, 2) as stated_amount,
    compared.platform_amount::numeric(18, 2) as platform_amount,
    compared.platform_payment_count::bigint as platform_payment_count,
    compared.region_amount::numeric(18, 2) as region_amount,
    round(compared.platform_amount / nullif(compared.region_amount, 0), 4)::numeric(9, 4) as platform_share,
    case
        when not compared.is_after then coalesce(compared.stated_amount, 0) - compared.platform_amount
    end::numeric(18, 2) as difference,
    case
        when compared.is_after and (compared.platform_amount <> 0 or compared.stated_amount <> 0) then 'after_migration'
        when compared.is_after then 'closed'
        when compared.stated_amount is null and compared.platform_amount <> 0 then 'not_stated'
        when coalesce(compared.stated_amount, 0) <> compared.platform_amount then 'differs'
        when compared.stated_amount is null then 'nothing'
        else 'ties_out'
    end as outcome
from compared
left join region on compared.region_code = region.region_code
union all
-- Without a platform of its own: it went over with the merger.
select
    region.region_code, null, null, null, region.settlement_platform_status, region.merger_date, null, null, null, null, null, null, null,
    null, 'merged_at_once'
from region
where not exists (
    select from platform
    where platform.region_code = region.region_code
)
