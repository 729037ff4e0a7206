#include "crawl/fence.h"

#include "crawl/column_types.h"

#include <algorithm>

namespace etl::crawl {

namespace {

constexpr int kMostScale = 10;     // of numeric: a fraction with more digits was computed
constexpr int kDoubleDigits = 15;  // that double precision holds for sure
constexpr const char* kText = "text";

struct Style {
  DateStyles style;
  const char* format;
};

constexpr std::array<Style, 8> kOtherStyles = {{{date_style::kYmdSlash, "%Y/%m/%d"},
                                                {date_style::kYmdDot, "%Y.%m.%d"},
                                                {date_style::kDmyDot, "%d.%m.%Y"},
                                                {date_style::kDmySlash, "%d/%m/%Y"},
                                                {date_style::kMdySlash, "%m/%d/%Y"},
                                                {date_style::kDmyDash, "%d-%m-%Y"},
                                                {date_style::kMdyDash, "%m-%d-%Y"},
                                                {date_style::kDayName, "%d-%b-%Y"}}};

const char* format_of(DateStyles style) {
  const auto found = std::ranges::find(kOtherStyles, style, &Style::style);
  return found == kOtherStyles.end() ? nullptr : found->format;
}

bool is_one_style(DateStyles styles) {
  return styles != 0 && (styles & (styles - 1)) == 0;
}

// The format of the times of a column; null if they are not all written alike.
const char* time_format_of(TimeShapes shapes) {
  switch (shapes) {
    case time_shape::kMinutes | time_shape::kNoZone:
      return " %H:%M";
    case time_shape::kSeconds | time_shape::kNoZone:
      return " %H:%M:%S";
    default:
      return nullptr;
  }
}

}  // namespace

void Evidence::add(std::string_view value) {
  const ValueForm form = form_of(value);
  add(form);
  if (form.form == Form::kTF) (value.find('t') != value.npos ? has_t_ : has_f_) = true;
}

void Evidence::add(const ValueForm& form) {
  ++values_;
  ++counts_[static_cast<size_t>(form.form)];
  switch (form.form) {
    case Form::kInteger:
      range_ = std::max(range_, form.range);
      break;
    case Form::kDecimal:
    case Form::kFloat:
      scale_ = std::max(scale_, form.scale);
      are_doubles_ = are_doubles_ && form.is_double;
      break;
    case Form::kCommaDecimal:
      are_doubles_ = are_doubles_ && form.is_double;
      scale_ = std::max(scale_, form.scale);
      if (form.scale != 3) has_comma_not_thousand_ = true;
      break;
    case Form::kDate:
    case Form::kTimestamp:
      date_styles_ &= form.date_styles;
      time_shapes_ |= form.time_shapes;
      break;
    default:
      break;
  }
  integer_digits_ = std::max(integer_digits_, form.integer_digits);
}

// The types of one file's columns, which share its formats.
class FileTypes {
 public:
  FileTypes(const std::vector<Evidence>& evidence, files::ReaderOptions* options)
      : evidence_(evidence), options_(options) {}

  void find_formats() {
    if (!options_->decimal_separator && has_decimal_commas()) options_->decimal_separator = ",";
    if (options_->date_format || options_->timestamp_format) return;
    const DateStyles style = common_style();
    if (const char* format = format_of(style)) use_style(style, format);
  }

  std::string type_of(const Evidence& it) const {
    if (it.values_ == 0) return kText;
    if (is_boolean(it)) return "boolean";
    if (const std::string number = number_type(it); number != kText) return number;
    if (const std::string date = date_type(it); date != kText) return date;
    if (it.count(Form::kTime) == it.values_) return "time";
    if (it.count(Form::kUuid) == it.values_) return "uuid";
    return kText;
  }

 private:
  static bool is_boolean(const Evidence& it) {
    if (it.count(Form::kTrueFalse) == it.values_) return true;
    return it.count(Form::kTF) == it.values_ && it.has_t_ && it.has_f_;
  }

  // Whole numbers and fractions with a comma, and nothing else.
  static bool may_have_commas(const Evidence& it) {
    return it.count(Form::kCommaDecimal) > 0 && it.count(Form::kCommaDecimal) + it.count(Form::kInteger) == it.values_;
  }

  bool has_decimal_commas() const {
    if (options_->delimiter.value_or(",") == ",") return false;
    const auto has_points = [](const Evidence& it) {
      return it.values_ > 0 && it.count(Form::kDecimal) + it.count(Form::kFloat) > 0 &&
             it.count(Form::kDecimal) + it.count(Form::kFloat) + it.count(Form::kInteger) == it.values_;
    };
    return std::ranges::none_of(evidence_, has_points) && std::ranges::any_of(evidence_, [](const Evidence& it) {
             return may_have_commas(it) && it.has_comma_not_thousand_;
           });
  }

  std::string number_type(const Evidence& it) const {
    const bool commas = options_->decimal_separator == ",";
    const int64_t fractions = it.count(commas ? Form::kCommaDecimal : Form::kDecimal);
    const int64_t floats = commas ? 0 : it.count(Form::kFloat);
    const int64_t integers = it.count(Form::kInteger);
    const int64_t odd = it.count(Form::kNotFinite);
    if (fractions + floats + integers + odd != it.values_) return kText;
    if (integers == it.values_)
      return it.range_ == IntegerRange::kInteger  ? "integer"
             : it.range_ == IntegerRange::kBigint ? "bigint"
                                                  : "numeric";
    if (odd > 0 && (fractions + floats == 0 || commas)) return kText;
    if (!it.are_doubles_ || it.integer_digits_ > kDoubleDigits) return "numeric";
    return odd > 0 || floats > 0 || it.scale_ > kMostScale ? "double precision" : "numeric";
  }

  static bool is_dates(const Evidence& it) {
    return it.values_ > 0 && it.count(Form::kDate) + it.count(Form::kTimestamp) == it.values_ && it.date_styles_ != 0;
  }

  static bool is_iso(const Evidence& it) { return is_dates(it) && it.date_styles_ == date_style::kIso; }

  // The only style that all dates of the file can be of, but for those in ISO form, which is always understood; 0 if
  // there is none.
  DateStyles common_style() const {
    DateStyles styles = date_style::kAll;
    for (const Evidence& it : evidence_)
      if (is_dates(it) && !is_iso(it)) styles &= it.date_styles_;
    return is_one_style(styles) ? styles : DateStyles{0};
  }

  void use_style(DateStyles style, const char* format) {
    const char* times = nullptr;
    bool alike = true;
    for (const Evidence& it : evidence_) {
      if (!is_dates(it) || (it.date_styles_ & style) == 0) continue;
      if (it.count(Form::kDate) == it.values_) {
        options_->date_format = format;
      } else if (it.count(Form::kTimestamp) == it.values_) {
        const char* own = time_format_of(it.time_shapes_);
        alike = alike && own != nullptr && (times == nullptr || std::string_view(times) == own);
        times = own;
      }
    }
    if (times != nullptr && alike) options_->timestamp_format = std::string(format) + times;
    style_ = style;
  }

  std::string date_type(const Evidence& it) const {
    if (is_iso(it)) return iso_type(it);
    if (is_dates(it) && (it.date_styles_ & style_) != 0) {
      if (it.count(Form::kDate) == it.values_) return "date";
      return it.count(Form::kTimestamp) == it.values_ && options_->timestamp_format ? "timestamp" : kText;
    }
    if (options_->date_format && it.date_matches_ == it.values_) return "date";
    if (options_->timestamp_format && it.timestamp_matches_ == it.values_)
      return has_zone(*options_->timestamp_format) ? "timestamptz" : "timestamp";
    return kText;
  }

  static std::string iso_type(const Evidence& it) {
    if (it.count(Form::kDate) == it.values_) return "date";
    if ((it.time_shapes_ & time_shape::kZone) == 0) return "timestamp";
    return it.count(Form::kDate) == 0 && (it.time_shapes_ & time_shape::kNoZone) == 0 ? "timestamptz" : kText;
  }

  const std::vector<Evidence>& evidence_;
  files::ReaderOptions* options_;
  DateStyles style_ = 0;  // of the file's dates that are not in ISO form; 0: there is none, or formats are given
};

bool has_zone(std::string_view format) {
  for (size_t i = format.find('%'); i != format.npos && i + 1 < format.size(); i = format.find('%', i + 2))
    if (format[i + 1] == 'z' || format[i + 1] == 'Z') return true;
  return false;
}

std::vector<files::Column> decide_types(const std::vector<std::string>& names, const std::vector<Evidence>& evidence,
                                        files::ReaderOptions* options) {
  FileTypes types(evidence, options);
  types.find_formats();
  std::vector<files::Column> columns;
  for (size_t i = 0; i < names.size(); ++i)
    columns.push_back({names[i], types.type_of(evidence[i]), evidence[i].has_values()});
  return columns;
}

bool is_header(const std::vector<std::string>& first, const std::vector<Evidence>& evidence) {
  bool looks_like_names = true;
  for (size_t i = 0; i < evidence.size() && i < first.size(); ++i) {
    const Form form = form_of(first[i]).form;
    files::ReaderOptions options;
    const std::string type = evidence[i].has_values() ? decide_types({""}, {evidence[i]}, &options)[0].type : kText;
    const bool typed = type != kText;
    const bool is_word = form == Form::kText || (form == Form::kTF && type != "boolean");
    if (typed && is_word && !first[i].empty()) return true;
    // A number may stand above texts: a year, say.
    const bool may_be_name = is_word || (form == Form::kInteger && evidence[i].has_values());
    looks_like_names = looks_like_names && !typed && may_be_name;
  }
  return looks_like_names;
}

}  // namespace etl::crawl
