#include "files/expressions.h"

#include "crawl/column_types.h"
#include "files/duckdb_api.h"

extern "C" {
#include "catalog/pg_type.h"
}

namespace etl::files {

namespace {

constexpr const char* kDay = "%Y-%m-%d";
constexpr const char* kMoment = "%Y-%m-%d %H:%M:%S.%f";

// A moment that was read by a pattern, as text.
std::string moment_text(const std::string& moment, const std::string& pattern, Oid target) {
  const auto formatted = [](const std::string& value, const std::string& format) {
    return "strftime(" + value + ", " + quote_literal(format) + ")";
  };
  if (target == DATEOID && !crawl::has_zone(pattern)) return formatted(moment, kDay);
  if (!crawl::has_zone(pattern)) return formatted(moment, kMoment);
  if (target == TIMESTAMPTZOID) return formatted(moment, std::string(kMoment) + "%z");
  return formatted("(" + moment + " AT TIME ZONE 'UTC')", target == DATEOID ? kDay : kMoment);
}

// What does not fit is left to the input function, in words that it refuses: it would guess by DateStyle. What begins
// as ISO 8601 does is no guess, if the pattern does not begin so, too.
std::string date_expression(const std::string& text, const std::string& pattern, Oid target) {
  const std::string wanted = quote_literal(pattern);
  const std::string refused = text + " || ' (not ' || " + wanted + " || ')'";
  std::string otherwise = refused;
  if (!pattern.starts_with("%Y-"))
    otherwise = "CASE WHEN regexp_matches(" + text + ", '^\\s*\\d{4}-\\d{1,2}-\\d{1,2}\\s*([ T]|$)') THEN " + text +
                " ELSE " + refused + " END";
  return "coalesce(" + moment_text("try_strptime(" + text + ", " + wanted + ")", pattern, target) + ", " + otherwise +
         ")";
}

// A point stands for thousands then, and would pass for a decimal one: it becomes a comma, which no number has. Among
// JSON's texts are its own numbers.
std::string with_decimal_point(const std::string& text, Format format) {
  return format == Format::kJson ? "replace(" + text + ", ',', '.')" : "translate(" + text + ", '.,', ',.')";
}

bool is_fraction(Oid type) {
  return type == NUMERICOID || type == FLOAT4OID || type == FLOAT8OID;
}

bool has_decimal_comma(const FileColumn& column, Oid target, const ReaderOptions& options) {
  return is_fraction(target) && options.decimal_separator == "," && column.type == "VARCHAR";
}

}  // namespace

std::string text_in_file(const FileColumn& column, Oid target, const ReaderOptions& options, std::string text) {
  if (!has_decimal_comma(column, target, options) || column.format == Format::kJson) return text;
  for (char& mark : text)
    if (mark == ',' || mark == '.') mark = mark == ',' ? '.' : ',';
  return text;
}

std::string text_expression(const FileColumn& column, Oid target, const ReaderOptions& options) {
  const std::string& value = column.expression;
  if (column.type == "BLOB") return target == BYTEAOID ? "'\\x' || hex(" + value + ")" : "decode(" + value + ")";
  const bool is_json = target == JSONOID || target == JSONBOID;
  if (is_json && column.type != "VARCHAR") return "to_json(" + value + ")::VARCHAR";
  const std::string text = value + "::VARCHAR";
  if (target == DATEOID && options.date_format) return date_expression(text, *options.date_format, target);
  if ((target == TIMESTAMPOID || target == TIMESTAMPTZOID) && options.timestamp_format)
    return date_expression(text, *options.timestamp_format, target);
  if (has_decimal_comma(column, target, options)) return with_decimal_point(text, column.format);
  return text;
}

}  // namespace etl::files
