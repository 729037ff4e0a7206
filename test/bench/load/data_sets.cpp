#include "data_sets.h"

namespace bench {

namespace {

// The same piece for so many columns: "x %N% y", with their numbers.
std::string repeated(const std::string& piece, int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) {
    std::string each = piece;
    for (size_t at; (at = each.find("%N%")) != std::string::npos;) each.replace(at, 3, std::to_string(i));
    text += (text.empty() ? "" : ", ") + each;
  }
  return text;
}

}  // namespace

std::vector<DataSet> data_sets() {
  return {{"orders", "orders: numbers, dates, short texts",
           "id int, customer_id int, order_date date, created_at timestamp, amount numeric(12, 2), quantity int, city "
           "text, "
           "comment text, active text",
           "SELECT i, i * 7919::bigint % 100000, date '2000-01-01' + i % 9000, timestamp '2024-05-01' + i * interval "
           "'1 second', "
           "(i * 104729::bigint % 1000000)::numeric / 100, i % 100, "
           "(ARRAY['Berlin', 'Paris', 'Buenos Aires', 'Oslo', 'Ouagadougou'])[1 + i % 5], "
           "'order ' || i || ' was ' || (ARRAY['paid', 'returned', 'shipped, late', 'lost'])[1 + i % 4], "
           "CASE WHEN i % 3 = 0 THEN 'yes' ELSE 'no' END FROM generate_series(1, %ROWS%) i",
           3000000},
          {"wide", "wide rows: 100 columns", repeated("c%N% int", 50) + ", " + repeated("t%N% text", 50),
           "SELECT " + repeated("i * %N% % 10007", 50) + ", " + repeated("'value ' || i % (%N% * 13)", 50) +
               " FROM generate_series(1, %ROWS%) i",
           200000},
          {"narrow", "short rows: two integers", "a int, b int", "SELECT i, i % 1000 FROM generate_series(1, %ROWS%) i",
           8000000},
          {"texts", "texts of 1 kB", "id int, body text",
           "SELECT i, repeat(md5(i::text) || ' ', 30) FROM generate_series(1, %ROWS%) i", 250000},
          {"numbers", "numbers: 5 numeric, 5 double precision",
           repeated("n%N% numeric", 5) + ", " + repeated("f%N% double precision", 5),
           "SELECT " + repeated("(i * 31::bigint % %N%000007)::numeric / 1000", 5) + ", " +
               repeated("sqrt(i * %N%::float8)", 5) + " FROM generate_series(1, %ROWS%) i",
           1000000}};
}

}  // namespace bench
