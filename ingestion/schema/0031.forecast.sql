-- Forecasts of each region's monthly series and their back-tests: what a model said at which published head. Kept for ever: a
-- figure that a decision rested on can be shown years later.
-- depends: 0030.applications

CREATE SCHEMA forecast;

-- One row a series fitted. The head and the hash of the series are what the figures are a function of, with code and versions.
CREATE TABLE forecast.run (
    run_no           bigint      NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    region_code      text        NOT NULL CHECK (region_code ~ '^([0-9]{6}|-)$'),   -- '-': published national series
    head_seq         bigint      NOT NULL CHECK (head_seq >= 0),
    series_code      text        NOT NULL,
    model            text        NOT NULL,
    parameters       jsonb       NOT NULL,
    library_version  text        NOT NULL,
    code_version     integer     NOT NULL CHECK (code_version >= 1),
    series_sha256    text        NOT NULL CHECK (series_sha256 ~ '^[0-9a-f]{64}$'),
    first_month      date,
    last_month       date,
    months_known     integer     NOT NULL CHECK (months_known >= 0),
    note_zh          text        NOT NULL,
    note_en          text        NOT NULL,
    made_at          timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE forecast.point (
    run_no           bigint         NOT NULL REFERENCES forecast.run,
    region_code      text           NOT NULL,
    month            date           NOT NULL,
    horizon          integer        NOT NULL CHECK (horizon >= 1),
    mean             numeric(24, 2) NOT NULL,
    lower_80         numeric(24, 2) NOT NULL,
    upper_80         numeric(24, 2) NOT NULL,
    lower_95         numeric(24, 2) NOT NULL,
    upper_95         numeric(24, 2) NOT NULL,
    cumulative_mean  numeric(24, 2) NOT NULL,   -- sum from the first forecast month to this one
    cumulative_sd    numeric(24, 2) NOT NULL CHECK (cumulative_sd >= 0),   -- standard deviation of that sum
    PRIMARY KEY (run_no, horizon),
    CHECK (lower_95 <= lower_80 AND lower_80 <= mean AND mean <= upper_80 AND upper_80 <= upper_95)
);

-- One row an origin and horizon: what each method said at the origin, and what came. Measures are taken from these rows.
CREATE TABLE forecast.backtest (
    run_no        bigint         NOT NULL REFERENCES forecast.run,
    region_code   text           NOT NULL,
    method        text           NOT NULL CHECK (method IN ('model', 'naive', 'seasonal_naive', 'annualised')),
    origin        date           NOT NULL,
    target        date           NOT NULL,
    horizon       integer        NOT NULL CHECK (horizon >= 1),
    actual        numeric(24, 2) NOT NULL,
    forecast      numeric(24, 2) NOT NULL,
    lower_80      numeric(24, 2),
    upper_80      numeric(24, 2),
    lower_95      numeric(24, 2),
    upper_95      numeric(24, 2),
    scale         numeric(24, 6),   -- mean absolute (seasonal-)naive error within what was known at the origin
    PRIMARY KEY (run_no, method, origin, target)
);
CREATE INDEX run_newest ON forecast.run (region_code, series_code, run_no);

GRANT USAGE ON SCHEMA forecast TO fund_transform, fund_quality, fund_publisher, auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA forecast TO fund_transform, fund_quality, fund_publisher, auditor;
GRANT INSERT ON ALL TABLES IN SCHEMA forecast TO fund_quality;

DO $$
DECLARE
    recorded text;
BEGIN
    FOREACH recorded IN ARRAY ARRAY['run', 'point', 'backtest'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forecast.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change()', recorded);
        EXECUTE format('ALTER TABLE forecast.%I ENABLE ALWAYS TRIGGER append_only', recorded);
        -- Readers have no right here at all; they read the marts, which apply their regions. The policy holds for those of the pipeline.
        EXECUTE format('ALTER TABLE forecast.%I ENABLE ROW LEVEL SECURITY', recorded);
        EXECUTE format('CREATE POLICY pipeline ON forecast.%I TO fund_transform, fund_quality, fund_publisher, auditor '
                       'USING (true) WITH CHECK (true)', recorded);
    END LOOP;
END
$$;

COMMENT ON SCHEMA forecast IS '预测与回测，只增不改 / Forecasts and back-tests, append-only';
COMMENT ON TABLE forecast.run IS '预测记录：每次拟合、每个序列一行 / Forecasts made: one row a fit of a series';
COMMENT ON COLUMN forecast.run.run_no IS '编号 / Number';
COMMENT ON COLUMN forecast.run.region_code IS '统筹区代码，-为公布的全国数据 / Region, - for published national figures';
COMMENT ON COLUMN forecast.run.head_seq IS '所依据的已发布序号 / Published seq it rests on';
COMMENT ON COLUMN forecast.run.series_code IS '序列代码，见 marts.forecast_series / Series, see marts.forecast_series';
COMMENT ON COLUMN forecast.run.model IS '所用模型；none 为月份不足未预测 / Model used; none: too few months, no forecast';
COMMENT ON COLUMN forecast.run.parameters IS '模型设定与估计参数 / Settings and estimated parameters';
COMMENT ON COLUMN forecast.run.library_version IS '软件库版本 / Version of the library';
COMMENT ON COLUMN forecast.run.code_version IS '本程序预测规则的版本 / Version of this program''s rules of forecasting';
COMMENT ON COLUMN forecast.run.series_sha256 IS '序列（月份与数值）的摘要 / Hash of the series, months and values';
COMMENT ON COLUMN forecast.run.first_month IS '首月，无数据为空 / First month, null without data';
COMMENT ON COLUMN forecast.run.last_month IS '末月 / Last month';
COMMENT ON COLUMN forecast.run.months_known IS '有数值的期数 / Periods with a value';
COMMENT ON COLUMN forecast.run.note_zh IS '中文说明：所用模型及原因 / Which model and why, in Chinese';
COMMENT ON COLUMN forecast.run.note_en IS '英文说明 / The same in English';
COMMENT ON COLUMN forecast.run.made_at IS '生成时间 / When made';
COMMENT ON TABLE forecast.point IS '预测值：每次拟合、每个未来月份一行 / Forecast values: one row a fit and month ahead';
COMMENT ON COLUMN forecast.point.run_no IS '预测编号 / Forecast';
COMMENT ON COLUMN forecast.point.region_code IS '统筹区代码 / Region';
COMMENT ON COLUMN forecast.point.month IS '月份 / Month';
COMMENT ON COLUMN forecast.point.horizon IS '超前期数 / Periods ahead';
COMMENT ON COLUMN forecast.point.mean IS '预测均值 / Mean';
COMMENT ON COLUMN forecast.point.lower_80 IS '80% 区间下限 / Lower end of the 80 % interval';
COMMENT ON COLUMN forecast.point.upper_80 IS '80% 区间上限 / Upper end of the 80 % interval';
COMMENT ON COLUMN forecast.point.lower_95 IS '95% 区间下限 / Lower end of the 95 % interval';
COMMENT ON COLUMN forecast.point.upper_95 IS '95% 区间上限 / Upper end of the 95 % interval';
COMMENT ON COLUMN forecast.point.cumulative_mean IS '自首个预测月累计的均值 / Mean of the sum from the first forecast month';
COMMENT ON COLUMN forecast.point.cumulative_sd IS '该累计数的标准差 / Standard deviation of that sum';
COMMENT ON TABLE forecast.backtest IS '回测：每次拟合、方法、起点、目标期一行 / Back-tests: one row a fit, method, origin and target';
COMMENT ON COLUMN forecast.backtest.run_no IS '预测编号 / Forecast';
COMMENT ON COLUMN forecast.backtest.region_code IS '统筹区代码，-为全国 / Region, - for national';
COMMENT ON COLUMN forecast.backtest.method IS '方法：model 模型，naive 沿用上期，seasonal_naive 沿用上年同期，annualised 按月数年化 / Method: model, naive, seasonal_naive or annualised';
COMMENT ON COLUMN forecast.backtest.origin IS '起点：所知的最后一期 / Origin: the last period known';
COMMENT ON COLUMN forecast.backtest.target IS '目标期 / Period forecast';
COMMENT ON COLUMN forecast.backtest.horizon IS '超前期数 / Periods ahead';
COMMENT ON COLUMN forecast.backtest.actual IS '实际值 / What came';
COMMENT ON COLUMN forecast.backtest.forecast IS '当时预测值 / What was said';
COMMENT ON COLUMN forecast.backtest.lower_80 IS '80% 区间下限 / Lower end of the 80 % interval';
COMMENT ON COLUMN forecast.backtest.upper_80 IS '80% 区间上限 / Upper end of the 80 % interval';
COMMENT ON COLUMN forecast.backtest.lower_95 IS '95% 区间下限 / Lower end of the 95 % interval';
COMMENT ON COLUMN forecast.backtest.upper_95 IS '95% 区间上限 / Upper end of the 95 % interval';
COMMENT ON COLUMN forecast.backtest.scale IS '起点以前（季节）沿用法的平均绝对误差，MASE 的分母 / Mean absolute naive error before the origin, the denominator of MASE';
COMMENT ON INDEX forecast.run_newest IS '每个序列的最新预测 / The newest forecast of a series';
