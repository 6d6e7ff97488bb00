with limits as (
    {{ monitoring_limits('S04', ['min_overlap_days']) }}
),

stay as (
    {{ monitored_claim("event.benefit_item in ('inpatient', 'maternity_complication', 'delivery_normal', 'delivery_assisted',"
        " 'delivery_caesarean', 'miscarriage', 'family_planning') and event.admitted_on is not null"
        " and event.discharged_on is not null", identified=true) }}
),

-- the day of a transfer is one of discharge here and of admission there
pair as (
    select
        earlier.region_code,
        case
            when earlier.person_no = later.person_no then array[earlier.person_no] else array[earlier.person_no, later.person_no]
        end as persons,
        earlier.claim_no as earlier_no,
        later.claim_no as later_no,
        earlier.institution_code as earlier_institution,
        later.institution_code as later_institution,
        least(earlier.amount, later.amount) as amount,
        later.admitted_on as first_on,
        least(earlier.discharged_on, later.discharged_on) as last_on,
        greatest(
            least(earlier.discharged_on, later.discharged_on) - later.admitted_on,
            -- a bed for the day only, on a day that is neither the first nor the last of the other stay
            case when later.admitted_on > earlier.admitted_on and later.discharged_on < earlier.discharged_on then 1 end
        ) as days,
        limits.min_overlap_days
    from stay as earlier
    inner join stay as later
        on
            earlier.region_code = later.region_code
            and earlier.person_key = later.person_key
            and (earlier.admitted_on, earlier.claim_no) < (later.admitted_on, later.claim_no)
            and earlier.discharged_on > later.admitted_on
    inner join limits on {{ with_limits('earlier') }}
),

found as (
    select
        region_code,
        'S04'::text as rule_code,
        {{ hidden_key(['earlier_no', 'later_no']) }} as finding_key,
        later_institution as institution_code,
        null::text as employer_no,
        persons,
        array[earlier_no, later_no] as claims,
        amount,
        first_on,
        last_on,
        format(
            '两次住院重叠 %s 天（限 %s 天），机构 %s 与 %s', days, round(min_overlap_days), earlier_institution, later_institution
        ) as said_zh,
        format(
            'two stays overlap by %s days (limit %s), institutions %s and %s', days, round(min_overlap_days), earlier_institution,
            later_institution
        ) as said_en
    from pair
    where days >= min_overlap_days
)

{{ monitoring_found('found', recovered='whole') }}
