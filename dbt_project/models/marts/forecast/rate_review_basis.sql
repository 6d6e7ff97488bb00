-- noqa: disable=LT05
-- What every figure of the review is made of, in words with its numbers: the review itself computes, this tells.
with review as (
    select
        *,
        to_char(first_month, 'YYYY-MM') || '–' || to_char(last_month, 'YYYY-MM') as span,
        to_char(100 * rate_in_force, 'FM990.0000') || '%' as rate_told,
        to_char(100 * rate_at_start, 'FM990.0000') || '%' as start_rate_told,
        to_char(100 * proposed_rate, 'FM990.0000') || '%' as proposed_told,
        months_present < 12 as is_part,
        coalesce(relief_amount, 0) <> 0 as is_relieved,
        employer_contribution + relief_amount as employer_contribution_full
    from {{ ref('rate_review') }}
    where {{ readable('region_code') }}
),

told as (
    select
        review.region_code,
        review.review_year,
        review.scenario_code,
        figure.*
    from review
    cross join lateral (
        values
        (
            1, 'rate_in_force', '有效单位费率', 'Employer rate in force', review.rate_in_force, null::numeric, null::numeric,
            case
                when review.rate_is_weighted
                    then format('%s 各月各类单位费率（310 与 510 相加）按核定基数加权，见 marts.rate_base', review.span)
                else '该期间无核定基数，取通用费率'
            end
            || case when review.is_relieved then format('；未计减征，减征后应缴 %s%%（policy_contribution_relief）', to_char(100 * review.rate_due, 'FM990.0000')) else '' end,
            case
                when review.rate_is_weighted
                    then format('%s, rates of each month and type of employers (310 and 510 added), weighted by assessed base: marts.rate_base', review.span)
                else 'no base was assessed in these months: the rate for all types'
            end
            || case when review.is_relieved then format('; before relief: after it %s%% was due (policy_contribution_relief)', to_char(100 * review.rate_due, 'FM990.0000')) else '' end
        ),
        (
            2, 'income_per_rate_point', '每个百分点费率的收入（元）', 'Income per percentage point, yuan', review.income_per_rate_point,
            review.employer_contribution_full, 100 * review.rate_in_force,
            format(
                '单位缴费 %s（含划入个人账户部分%s）÷ %s × 1%%，%s 共 %s 个月，%s；个人账户按基数定率划入，费率变动全部归统筹',
                review.employer_contribution_full,
                case
                    when review.is_relieved
                        then format('；按全额费率：实收 %s，各月 ÷ 该月应缴比例，加回减征 %s', review.employer_contribution, review.relief_amount)
                    else ''
                end,
                review.rate_told, review.span, review.months_present,
                case when review.is_part then '未年化，年化为 ' || review.income_per_rate_point_annualised else '全年' end
            ),
            format(
                'employers'' contributions %s (with the personal accounts'' part%s) ÷ %s × 1%%, %s, %s months, %s; the personal account takes a share of the base, so that all of a change of the rate goes to the pool',
                review.employer_contribution_full,
                case
                    when review.is_relieved
                        then format(
                            '; at the full rate: %s collected, each month ÷ the share due in it, relief of %s added back',
                            review.employer_contribution, review.relief_amount
                        )
                    else ''
                end,
                review.rate_told, review.span, review.months_present,
                case when review.is_part then 'not annualised: a year would be ' || review.income_per_rate_point_annualised else 'the whole year' end
            )
        ),
        (
            3, 'pooled_expenditure', '统筹支出（元）', 'Pooled expenditure, yuan', review.pooled_expenditure, review.pooled_expenditure, review.months_present,
            format('两个基金的统筹支出（E50），%s 共 %s 个月，%s', review.span, review.months_present, case when review.is_part then '不足全年，未年化' else '全年' end),
            format('pooled expenditure of both funds (E50), %s, %s months, %s', review.span, review.months_present, case when review.is_part then 'part of a year, not annualised' else 'the whole year' end)
        ),
        (
            4, 'maternity_share', '其中生育待遇占比', 'Maternity share of it', review.maternity_share, review.maternity_expenditure, review.pooled_expenditure,
            format('生育待遇支出（E1131+E1132）%s ÷ 统筹支出 %s', review.maternity_expenditure, review.pooled_expenditure),
            format('maternity expenditure (E1131+E1132) %s ÷ pooled expenditure %s', review.maternity_expenditure, review.pooled_expenditure)
        ),
        (
            5, 'balancing_rate', '收支平衡费率', 'Rate that would have balanced', review.balancing_rate,
            review.pooled_expenditure - review.pooled_income, review.employer_contribution / nullif(review.rate_in_force, 0),
            format(
                '%s +（统筹支出 %s − 统筹收入 %s）÷ 每 1.00 费率实际收入（单位缴费 %s ÷ 费率），同期 %s 个月，不受月数影响%s',
                review.rate_told, review.pooled_expenditure, review.pooled_income, review.employer_contribution, review.months_present,
                case
                    when review.is_relieved
                        then format(
                            '；减征照旧时使该期收支相等的名义费率，不是长期所需费率；若无减征（收入加回 %s）为 %s%%',
                            review.relief_amount, to_char(100 * review.balancing_rate_without_relief, 'FM990.0000')
                        )
                    else ''
                end
            ),
            format(
                '%s + (pooled expenditure %s − pooled income %s) ÷ what a rate of 1.00 brought (employers'' contributions %s ÷ rate), of the same %s months, whatever their number%s',
                review.rate_told, review.pooled_expenditure, review.pooled_income, review.employer_contribution, review.months_present,
                case
                    when review.is_relieved
                        then format(
                            '; the rate before relief that would have balanced these months given the relief as it was, not one that is needed in the long run; without the relief (%s added to income) %s%%',
                            review.relief_amount, to_char(100 * review.balancing_rate_without_relief, 'FM990.0000')
                        )
                    else ''
                end
            )
        ),
        (
            6, 'months_in_reserve', '可支付月数', 'Months in reserve', review.months_in_reserve, review.pooled_balance, review.expenditure_last_12_months / review.months_counted,
            format('两个基金合计：统筹结余 %s ÷（最近 %s 个月统筹支出 %s ÷ %s），含合并前生育保险基金的月份；marts.risk_indicator 只计职工医保基金，合并满一年后两者相同', review.pooled_balance, review.months_counted, review.expenditure_last_12_months, review.months_counted),
            format('both funds: pooled balance %s ÷ (pooled expenditure of the last %s months %s ÷ %s), months of the separate maternity fund included; marts.risk_indicator counts the employee fund alone, the same from a year after the merger on', review.pooled_balance, review.months_counted, review.expenditure_last_12_months, review.months_counted)
        ),
        (
            7, 'needed_rate', '三年内保持目标月数所需费率', 'Rate that keeps the target for three years', review.needed_rate,
            review.needed_rate * review.balance_per_rate, review.balance_per_rate,
            format(
                '第三年末结余 = %s + 费率 × %s；月均支出 %s；目标 %s–%s 个月；%s；可行区间 %s–%s，取与现行 %s 最接近者；缴费按全额费率预测，只减去已规定减征的未来月份',
                round(review.balance_without_rate, 2), round(review.balance_per_rate, 2), round(review.expenditure_per_month_ahead, 2),
                review.target_low, review.target_high,
                case review.solved_for when 'every_year' then '三个年末均须满足' else '三个年末无法同时满足，只求第三个年末达到' end,
                round(100 * review.lowest_rate, 4) || '%', round(100 * review.highest_rate, 4) || '%', review.start_rate_told
            ),
            format(
                'balance after three years = %s + rate × %s; expenditure a month %s; target %s–%s months; %s; rates from %s to %s, of these the closest to %s in force; contributions are forecast at the full rate, less the relief laid down for months ahead',
                round(review.balance_without_rate, 2), round(review.balance_per_rate, 2), round(review.expenditure_per_month_ahead, 2),
                review.target_low, review.target_high,
                case review.solved_for
                    when 'every_year' then 'to be met at the end of each of the three years'
                    else 'no one rate meets it at the end of all three years: met at the end of the third'
                end,
                round(100 * review.lowest_rate, 4) || '%', round(100 * review.highest_rate, 4) || '%', review.start_rate_told
            )
        ),
        (
            8, 'proposed_rate', '建议费率', 'Proposed rate', review.proposed_rate, review.proposed_change, null::numeric,
            format(
                '由 %s 调整 %s 个百分点（取整与限额见 rate_review_limit：%s），第三年末可支付月数由 %s 变为 %s',
                review.start_rate_told, to_char(100 * review.proposed_change, 'FMSG990.00'),
                case review.limited_by when 'none' then '未受限' when 'change_max' then '受一次调整上限' else '受费率上下限' end,
                review.months_in_reserve_unchanged, review.months_in_reserve_proposed
            ),
            format(
                'from %s by %s points (steps and limits: rate_review_limit; %s), months in reserve after three years %s instead of %s',
                review.start_rate_told, to_char(100 * review.proposed_change, 'FMSG990.00'),
                case review.limited_by when 'none' then 'not limited' when 'change_max' then 'held by the largest change at once' else 'held by the limits of the rate' end,
                review.months_in_reserve_proposed, review.months_in_reserve_unchanged
            )
        )
    ) as figure (figure_order, figure_code, figure_zh, figure_en, figure_value, numerator, denominator, basis_zh, basis_en)
)

select
    region_code,
    review_year,
    scenario_code,
    figure_order,
    figure_code,
    figure_zh,
    figure_en,
    figure_value::numeric(28, 9) as figure_value,
    numerator::numeric(28, 6) as numerator,
    denominator::numeric(28, 6) as denominator,
    basis_zh,
    basis_en
from told
where figure_value is not null
