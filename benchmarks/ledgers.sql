-- One batch of facts into the log, sealed and hashed. A fact follows from its place alone, so the same numbers give the same
-- log. Of a thousand places in a row:
--   0- 9 enrolments (the first thousand registers the employers, and has no claims), 10-129 assessments, 130-479 premiums, 480-729 settlements, 730-979 their payments, 980-983 refunds,
--   984-987 recoveries, 988-991 reversals (of facts two batches before), 992-999 fund-level money.
CREATE FUNCTION pg_temp.draft_ordinary(
    of_region text, of_batch bigint, first_place bigint, last_place bigint, begins date, ends date
)
RETURNS void LANGUAGE sql AS $$
    WITH merger AS (
        SELECT region.merger_date FROM policy.policy_region AS region
        WHERE region.region_code = of_region ORDER BY region.known_from DESC LIMIT 1
    ),
    placed AS (
        SELECT
            place, (place % 1000)::integer AS slot,
            begins + ((place - first_place) * (ends - begins) / (last_place - first_place + 1))::integer
                - CASE WHEN place % 1000 < 10 THEN 40 WHEN place % 100 = 37 AND begins > date '2019-02-01' THEN 20 ELSE 0 END
                AS occurred_on,
            CASE WHEN place > 25000 THEN 20000 ELSE 0 END AS back
        FROM generate_series(first_place, last_place) AS place
    ),
    kinded AS (
        SELECT placed.*, merger.merger_date,
            CASE
                WHEN slot < 10 THEN 'enrollment.started'
                WHEN place < 1000 AND slot BETWEEN 480 AND 991 THEN 'employer.registered'
                WHEN slot < 130 THEN 'contribution.assessed'
                WHEN slot < 480 THEN 'contribution.collected'
                WHEN slot < 730 THEN 'claim.settled'
                WHEN slot < 980 THEN 'claim.paid'
                WHEN slot < 984 THEN 'contribution.refunded'
                WHEN slot < 988 THEN 'claim.recovered'
                WHEN slot < 992 THEN 'claim.reversed'
                WHEN slot < 996 THEN 'cash.transferred'
                WHEN slot = 996 THEN 'interest.credited'
                WHEN slot = 997 THEN 'subsidy.received'
                WHEN slot = 998 THEN 'transfer.received'
                ELSE 'catastrophic.transferred'
            END AS event_type,
            CASE
                WHEN place < 1000 THEN NULL
                WHEN slot BETWEEN 980 AND 983 THEN place - back - 600
                WHEN slot BETWEEN 984 AND 991 THEN place - back - 74
            END AS original
        FROM placed CROSS JOIN merger
    ),
    -- The place a fact takes its person, employer and claim from: a payment from its settlement, a correction from its original.
    rooted AS (
        SELECT kinded.*, split_part(event_type, '.', 1) AS subject,
            CASE event_type
                WHEN 'claim.paid' THEN place - 250
                WHEN 'contribution.refunded' THEN original
                WHEN 'claim.recovered' THEN original - 250
                WHEN 'claim.reversed' THEN original - 250
                ELSE place
            END AS root,
            CASE
                WHEN event_type IN ('claim.settled', 'claim.paid') THEN (slot - 480) % 250
                WHEN event_type LIKE 'claim.%' THEN 180
            END AS claim_slot
        FROM kinded
    ),
    known AS (
        SELECT rooted.*,
            -- four persons a thousand, enrolled at its head, to whom all its facts belong
            'P' || (root / 1000 * 4 + root % 4) * 7919 % 400000 AS person_no, 'U' || root % 100 AS employer_no,
            4000 + root * 31 % 9000 AS base, 100 + root * 17 % 5000 AS fee,
            event_type = 'contribution.collected' AND slot >= 465 AND occurred_on < merger_date AS is_maternity_premium,
            event_type = 'contribution.collected' AND slot BETWEEN 450 AND 464 AS is_flexible,
            coalesce(claim_slot >= 235, false) AS is_maternity,
            CASE
                WHEN claim_slot < 110 THEN 'outpatient'
                WHEN claim_slot < 170 THEN 'pharmacy'
                WHEN claim_slot < 235 THEN 'inpatient'
                WHEN claim_slot < 238 THEN 'prenatal'
                WHEN claim_slot < 242 THEN 'delivery_normal'
                WHEN claim_slot < 244 THEN 'delivery_caesarean'
                ELSE 'maternity_allowance'
            END AS item
        FROM rooted
    ),
    priced AS (
        SELECT known.*,
            CASE WHEN item = 'pharmacy' THEN 0 WHEN is_maternity THEN fee ELSE round(fee * 0.7, 2) END AS pooled,
            CASE WHEN item = 'pharmacy' THEN fee WHEN is_maternity THEN 0 ELSE round(fee * 0.2, 2) END AS personal_account
        FROM known
    )
    INSERT INTO draft (
        region_code, seq, event_type, family, schema_version, source_system, source_event_key, occurred_on, recorded_at,
        batch_id, line_no, original_seq, original_event_key, employer_no, person_no, institution_code, insurance_type,
        enrollment_category, contribution_base, deposit_account, benefit_item, contribution_month, employer_amount,
        personal_amount, personal_account_credit, receipt_no, claim_no, payment_method, payee_type, service_on,
        medical_fee_total, pooled_amount, personal_account_amount, personal_cash_amount, pay_account, payment_no,
        fund_code, sub_fund, account, from_account, to_account, amount
    )
    SELECT
        of_region, place, event_type,
        CASE subject WHEN 'enrollment' THEN 'registration' WHEN 'employer' THEN 'registration' WHEN 'contribution' THEN subject WHEN 'claim' THEN subject ELSE 'treasury' END,
        1, 'bench', 'K' || lpad(place::text, 12, '0'), occurred_on, (ends + interval '2 hours') AT TIME ZONE 'Asia/Shanghai',
        of_batch, (place - first_place)::integer + 2, original, 'K' || lpad(original::text, 12, '0'),
        CASE WHEN subject IN ('employer', 'enrollment', 'contribution') AND NOT is_flexible THEN employer_no END,
        CASE WHEN subject IN ('enrollment', 'contribution', 'claim') OR event_type = 'transfer.received' THEN person_no END,
        CASE WHEN subject = 'claim' AND item <> 'maternity_allowance' THEN 'H' || root % 300 END,
        CASE
            WHEN subject IN ('enrollment', 'contribution') THEN
                CASE WHEN is_maternity_premium OR slot BETWEEN 4 AND 7 AND begins < merger_date THEN '510' ELSE '310' END
            WHEN subject = 'claim' THEN CASE WHEN is_maternity AND occurred_on < merger_date THEN '510' ELSE '310' END
        END,
        CASE WHEN subject IN ('enrollment', 'contribution') THEN CASE WHEN is_flexible THEN 'flexible' ELSE 'employee' END END,
        CASE WHEN subject IN ('enrollment', 'contribution') THEN base END,
        CASE event_type
            WHEN 'contribution.collected' THEN 'treasury' WHEN 'contribution.refunded' THEN 'special_demand'
            WHEN 'claim.recovered' THEN 'special_demand'
        END,
        CASE WHEN subject = 'claim' THEN item END,
        CASE WHEN subject = 'contribution' THEN (date_trunc('month', occurred_on::timestamp) - interval '1 month')::date END,
        CASE
            WHEN event_type = 'contribution.refunded' THEN 90
            WHEN is_maternity_premium THEN round(base * 0.008, 2)
            WHEN subject = 'contribution' AND NOT is_flexible THEN round(base * 0.09, 2)
        END,
        CASE
            WHEN event_type = 'contribution.refunded' THEN 20
            WHEN is_flexible THEN round(base * 0.1, 2)
            WHEN subject = 'contribution' AND NOT is_maternity_premium THEN round(base * 0.02, 2)
        END,
        CASE
            WHEN event_type = 'contribution.refunded' THEN 10
            WHEN is_flexible OR is_maternity_premium THEN 0
            WHEN subject = 'contribution' THEN round(base * 0.01, 2)
        END,
        CASE WHEN event_type IN ('contribution.collected', 'contribution.refunded') THEN 'T' || root / 50 END,
        CASE WHEN subject = 'claim' THEN 'C' || root END,
        CASE WHEN subject = 'claim' THEN CASE item WHEN 'inpatient' THEN 'drg' WHEN 'maternity_allowance' THEN 'fixed_amount' ELSE 'fee_for_service' END END,
        CASE WHEN event_type = 'claim.paid' THEN CASE item WHEN 'maternity_allowance' THEN 'employer' ELSE 'institution' END END,
        CASE WHEN subject = 'claim' THEN occurred_on END,
        CASE WHEN event_type = 'claim.settled' THEN fee END,
        CASE WHEN event_type IN ('claim.settled', 'claim.paid') THEN pooled WHEN event_type = 'claim.recovered' THEN 7 END,
        CASE WHEN event_type IN ('claim.settled', 'claim.paid') THEN personal_account WHEN event_type = 'claim.recovered' THEN 0 END,
        CASE WHEN event_type = 'claim.settled' THEN fee - pooled - personal_account END,
        CASE WHEN event_type = 'claim.paid' THEN 'expenditure' END,
        CASE WHEN event_type = 'claim.paid' THEN 'F' || place END,
        CASE WHEN slot >= 992 THEN 'EMI' END,
        CASE WHEN slot IN (996, 997, 999) THEN 'pooled' WHEN slot = 998 THEN 'personal' END,
        CASE WHEN slot >= 996 THEN 'special_demand' END,
        CASE WHEN slot IN (992, 993) THEN 'treasury' WHEN slot IN (994, 995) THEN 'special_demand' END,
        CASE WHEN slot IN (992, 993) THEN 'special_demand' WHEN slot IN (994, 995) THEN 'expenditure' END,
        CASE WHEN slot BETWEEN 992 AND 995 THEN 100000 WHEN slot >= 996 THEN 1000 + place % 9000 END
    FROM priced
$$;

CREATE FUNCTION pg_temp.draft_special(of_region text, of_batch bigint, first_place bigint, begins date, ends date, what text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO draft (
        region_code, seq, event_type, family, schema_version, source_system, source_event_key, occurred_on, recorded_at,
        batch_id, line_no, fund_code, account, amount
    )
    SELECT
        of_region, first_place + fact.place, fact.event_type, 'treasury', 1, 'bench', what || fact.place,
        CASE what WHEN 'opening' THEN begins ELSE (
            SELECT region.merger_date FROM policy.policy_region AS region
            WHERE region.region_code = of_region ORDER BY region.known_from DESC LIMIT 1
        ) END,
        (ends + interval '2 hours') AT TIME ZONE 'Asia/Shanghai', of_batch, fact.place + 2, fact.fund_code, fact.account, fact.amount
    FROM (
        VALUES
        ('opening', 0, 'balance.opened', 'EMI', 'expenditure', 1e11), ('opening', 1, 'balance.opened', 'EMI', 'special_demand', 1e11),
        ('opening', 2, 'balance.opened', 'MAT', 'expenditure', 1e10), ('merger', 0, 'fund.merged', 'MAT', NULL, NULL)
    ) AS fact (kind, place, event_type, fund_code, account, amount)
    WHERE fact.kind = what
$$;

CREATE FUNCTION pg_temp.append_batch(
    of_region text, of_batch bigint, first_place bigint, last_place bigint, begins date, ends date, what text
)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    file bigint;
    set_aside bigint;
    columns text;
BEGIN
    TRUNCATE draft;
    IF what = 'ordinary' THEN
        PERFORM pg_temp.draft_ordinary(of_region, of_batch, first_place, last_place, begins, ends);
    ELSE
        PERFORM pg_temp.draft_special(of_region, of_batch, first_place, begins, ends, what);
    END IF;
    SELECT string_agg(CASE attname WHEN 'content_hash' THEN 'events.content_hash(draft_row)' ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
    INTO columns FROM pg_attribute WHERE attrelid = 'events.event'::regclass AND attnum > 0 AND NOT attisdropped;
    EXECUTE format('INSERT INTO events.event SELECT %s FROM (SELECT draft.*, row(draft.*)::events.event AS draft_row FROM draft) AS hashed ORDER BY seq', columns);
    INSERT INTO events.file_registry (source_system, file_name, sha256, size_bytes, first_seen_at)
    SELECT 'bench', format('%s.%s.csv', of_region, of_batch), encode(sha256(format('%s/%s', of_region, of_batch)::bytea), 'hex'),
        200 * (last_place - first_place + 1), (ends + interval '1 hour') AT TIME ZONE 'Asia/Shanghai'
    RETURNING file_id INTO file;
    -- One row in two hundred had been set aside and has come again since.
    INSERT INTO events.quarantine (
        file_id, line_no, region_code, family, source_system, source_event_key, error_codes, messages, raw, amount, quarantined_at
    )
    SELECT file, 1000000 + line_no, region_code, family, source_system, 'Q' || source_event_key, ARRAY['E-VALUE-DATE'], ARRAY['bench'],
        repeat('x', 400), coalesce(pooled_amount, employer_amount, amount, 0), recorded_at
    FROM draft WHERE seq % 200 = 199 ORDER BY seq;
    INSERT INTO events.quarantine_resolution (quarantine_id, resolution, region_code, resolved_by_seq, resolved_at)
    SELECT quarantine_id, 'corrected', region_code, last_place, quarantined_at FROM events.quarantine WHERE file_id = file;
    SELECT count(*) INTO set_aside FROM events.quarantine WHERE file_id = file;
    INSERT INTO events.file_outcome (file_id, attempt_no, state, family, rows, loaded, quarantined, reader_key, finished_at)
    SELECT file, 1, 'loaded', 'claim', count(*) + set_aside, count(*), set_aside, 'bench', max(recorded_at) FROM draft;
    INSERT INTO events.batch (region_code, batch_id, file_id, file_sha256, first_seq, last_seq, recorded_at, prev_batch_hash, batch_hash)
    SELECT of_region, of_batch, file, encode(sha256(format('%s/%s', of_region, of_batch)::bytea), 'hex'), first_place, last_place,
        max(draft.recorded_at),
        coalesce((
            SELECT before.batch_hash FROM events.batch AS before
            WHERE before.region_code = of_region AND before.batch_id = of_batch - 1
        ), decode(repeat('00', 32), 'hex')), decode(repeat('00', 32), 'hex')
    FROM draft;
    UPDATE events.batch SET batch_hash = events.batch_hash(region_code, batch_id)
    WHERE region_code = of_region AND batch_id = of_batch;
END
$$;
