{{ money_line('built') }}
