{# The growth block of a MAP export: pairs of windows and measures, and how each is named here and there.
   Source: NWEA help pages on the data exports (formats/nwea_map.md, columns AD to BS). #}
{% macro map_growth_columns() %}
    {%- set pairs = ['fall_to_fall', 'fall_to_winter', 'fall_to_spring', 'winter_to_winter', 'winter_to_spring', 'spring_to_spring'] -%}
    {%- set measures = [
        ('CGP', 'conditional_growth_percentile'),
        ('CGI', 'conditional_growth_index'),
        ('OBSERVED_GROWTH', 'observed_growth'),
        ('PROJECTED_GROWTH', 'projected_growth'),
        ('MET_PROJECTION', 'met_projected_growth'),
    ] -%}
    {%- set columns = [] -%}
    {%- for pair in pairs -%}
        {%- for prefix, measure in measures -%}
            {%- set lake_column = pair ~ '_' ~ measure -%}
            {%- do columns.append({
                'metric': prefix ~ '_' ~ (pair | replace('_to_', '_') | upper),
                'lake_column': lake_column,
                'source_column': lake_column.split('_') | map('capitalize') | join(''),
                'is_yes_no': measure == 'met_projected_growth',
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(columns) }}
{% endmacro %}
