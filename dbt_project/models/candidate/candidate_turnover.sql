{{ turnover_register('built') }}
