// From the values of a file's columns to their types.
//
// A column gets a type only if each of its values is one of that type, and nothing of it is lost. These are the rules:
//
//   boolean           true and false, in any case; t and f where both occur. yes and no, 0 and 1 are not.
//   integer, bigint   whole numbers in the type's range; beyond it numeric. 20101229 is an integer. A leading zero
//                     (007) or a plus sign (+49) makes text: it is part of an identifier. So are 1,234 and 1_000.
//   numeric           decimal fractions: 12.50. With a decimal comma (12,50) where the options say so, or where the
//                     file's delimiter is no comma, every fraction of its numbers is written so, and one has not
//                     three digits.
//   double precision  with an exponent, or with more than 10 digits behind the point, if it holds all of them and
//                     prints them so; NaN and infinity only beside fractions
//   date, timestamp   2024-12-31, perhaps with a time. One other style in a file, if some value of it shows what is
//                     the day and what the month: 31/12/2024. Then its format is kept in the options. Dates and
//                     timestamps together are timestamps. More than 6 digits of a second make text, unless they
//                     are zeros.
//   timestamptz       timestamps that all have a zone
//   time, uuid        23:59:59; 8-4-4-4-12 hexadecimal digits
//   text              everything else, also a column without values and one with an empty text in quotes
//
// Given formats hold: with a date_format, dates are the columns whose values all fit it or are in ISO form, and
// likewise for timestamps: with the zone in the format they are timestamptz.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "crawl/value_form.h"
#include "files/module.h"

namespace etl::crawl {

// What was seen of a column: forms of its values, but for nulls.
class Evidence {
 public:
  void add(std::string_view value);

  // A value whose form is known, and text that looks like nothing else.
  void add(const ValueForm& form);
  void add_text() { add(ValueForm{}); }

  bool has_values() const { return values_ > 0; }

  // The values of the column that fit the formats of the options.
  void set_matches(int64_t dates, int64_t timestamps) {
    date_matches_ = dates;
    timestamp_matches_ = timestamps;
  }

 private:
  friend class FileTypes;

  int64_t count(Form form) const { return counts_[static_cast<size_t>(form)]; }

  int64_t values_ = 0;
  std::array<int64_t, kForms> counts_{};
  IntegerRange range_ = IntegerRange::kInteger;
  int integer_digits_ = 0;
  int scale_ = 0;
  bool are_doubles_ = true;  // double precision holds all fractions
  bool has_t_ = false;
  bool has_f_ = false;
  bool has_comma_not_thousand_ = false;        // a fraction behind a comma that has not three digits
  DateStyles date_styles_ = date_style::kAll;  // that all dates could be of
  TimeShapes time_shapes_ = 0;                 // that some timestamp has
  int64_t date_matches_ = 0;
  int64_t timestamp_matches_ = 0;
};

// Whether a format, as strptime takes it, has the time zone: %z or %Z.
bool has_zone(std::string_view format);

// Decides the types of all columns of a file, which share formats: completes date_format, timestamp_format and
// decimal_separator of the options where they are not given.
std::vector<files::Column> decide_types(const std::vector<std::string>& names, const std::vector<Evidence>& evidence,
                                        files::ReaderOptions* options);

// Is the first record a header? `evidence` is of the records after it. It is one if a field of it is text where the
// column's values have another type. Else it is one if all columns are text, and its fields look like names.
bool is_header(const std::vector<std::string>& first, const std::vector<Evidence>& evidence);

}  // namespace etl::crawl
