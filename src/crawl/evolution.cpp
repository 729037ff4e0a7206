#include "crawl/fence.h"

#include "crawl/evolution.h"

#include <algorithm>
#include <map>

#include "crawl/names.h"
#include "crawl/types.h"

namespace etl::crawl {

namespace {

const TableColumn* find_column(const std::vector<TableColumn>& table, const std::string& name) {
  const auto found = std::ranges::find(table, name, &TableColumn::name);
  return found == table.end() ? nullptr : &*found;
}

// Names may come several times: the first of the file is the first of the mapping, and so on.
class Occurrences {
 public:
  int next(const std::string& name) { return seen_[name]++; }

 private:
  std::map<std::string, int> seen_;
};

class Evolver {
 public:
  Evolver(const std::vector<TableColumn>& table, const Policy& policy) : table_(table), policy_(policy) {
    for (const TableColumn& column : table) names_.reserve(column.name);
  }

  void keep(const std::vector<ColumnMapping>& mapping) { result_.mapping = mapping; }

  void add_partition(const TableColumn& partition) {
    const TableColumn* present = find_column(table_, partition.name);
    if (present == nullptr) {
      names_.reserve(partition.name);
      result_.changes.push_back({partition.name, "", partition.type});
    } else {
      widen(*present, partition.type);
    }
  }

  void add(const files::Column& column, int occurrence) {
    ColumnMapping* mapped = find_mapping(column.name, occurrence);
    if (mapped == nullptr) return add_new(column);
    const TableColumn* present = find_column(table_, mapped->column);
    if (present == nullptr) {
      result_.changes.push_back({mapped->column, "", column.type});
    } else if (column.has_values) {
      widen(*present, column.type);
    }
  }

  Evolution result() { return std::move(result_); }

 private:
  ColumnMapping* find_mapping(const std::string& file_column, int occurrence) {
    for (ColumnMapping& it : result_.mapping)
      if (it.file == file_column && occurrence-- == 0) return &it;
    return nullptr;
  }

  void add_new(const files::Column& column) {
    switch (policy_.on_new_column) {
      case OnNewColumn::kFail:
        result_.problems.push_back("column \"" + column.name + "\" is new in the files");
        return;
      case OnNewColumn::kIgnore:
        result_.notes.push_back("new column \"" + column.name + "\" is not loaded");
        return;
      case OnNewColumn::kAdd:
        const std::string wanted = column_names_for({column.name}, {}).front();
        const std::string name = names_.take(
            column.name.empty() || wanted == "column0" ? "column" + std::to_string(result_.mapping.size()) : wanted);
        result_.changes.push_back({name, "", column.type});
        result_.mapping.push_back({column.name, name});
    }
  }

  void widen(const TableColumn& present, const std::string& type) {
    if (!is_crawler_type(present.type) || holds(present.type, type)) return;
    const Change change = {present.name, present.type, wider_type(present.type, type)};
    switch (policy_.on_type_change) {
      case OnTypeChange::kFail:
        result_.problems.push_back("column \"" + present.name + "\" is " + present.type +
                                   ", and files have values of type " + type);
        return;
      case OnTypeChange::kIgnore:
        result_.notes.push_back("column \"" + present.name + "\" stays " + present.type +
                                ", though files have values of type " + type);
        return;
      case OnTypeChange::kWiden:
        result_.changes.push_back(change);
    }
  }

  const std::vector<TableColumn>& table_;
  const Policy& policy_;
  UniqueNames names_;
  Evolution result_;
};

void merge_column(files::Column* column, const files::Column& other) {
  if (!other.has_values) return;
  column->type = column->has_values ? wider_type(column->type, other.type) : other.type;
  column->has_values = true;
}

}  // namespace

std::string Change::text() const {
  return from.empty() ? "add column " + column + " " + to : "alter column " + column + " from " + from + " to " + to;
}

Evolution evolve(const std::vector<TableColumn>& table, const std::vector<ColumnMapping>& mapping,
                 const std::vector<files::Column>& columns, const std::vector<TableColumn>& partitions,
                 const Policy& policy) {
  Evolver evolver(table, policy);
  evolver.keep(mapping);
  for (const TableColumn& partition : partitions) evolver.add_partition(partition);
  Occurrences occurrences;
  for (const files::Column& column : columns) evolver.add(column, occurrences.next(column.name));
  return evolver.result();
}

bool are_alike(const files::Shape& one, const files::Shape& other) {
  const auto names = [](const files::Shape& shape) {
    std::vector<std::string> result;
    for (const files::Column& column : shape.columns) result.push_back(column.name);
    std::ranges::sort(result);
    return result;
  };
  const files::ReaderOptions& a = one.options;
  const files::ReaderOptions& b = other.options;
  return a.delimiter == b.delimiter && a.quote == b.quote && a.escape == b.escape && a.header == b.header &&
         a.skip == b.skip && a.encoding == b.encoding && names(one) == names(other);
}

void merge(files::Shape* shape, const files::Shape& other) {
  files::ReaderOptions& options = shape->options;
  const auto differ = [](std::optional<std::string>* ours, const std::optional<std::string>& theirs) {
    if (!*ours) *ours = theirs;
    return theirs && *ours != theirs;
  };
  const bool dates_differ = differ(&options.date_format, other.options.date_format);
  const bool times_differ = differ(&options.timestamp_format, other.options.timestamp_format);
  if (!options.decimal_separator) options.decimal_separator = other.options.decimal_separator;
  Occurrences occurrences;
  for (files::Column column : other.columns) {
    if ((dates_differ && column.type == "date") || (times_differ && column.type == "timestamp")) column.type = "text";
    int occurrence = occurrences.next(column.name);
    const auto same = std::ranges::find_if(
        shape->columns, [&](const files::Column& it) { return it.name == column.name && occurrence-- == 0; });
    if (same == shape->columns.end()) {
      shape->columns.push_back(column);
    } else {
      merge_column(&*same, column);
    }
  }
}

}  // namespace etl::crawl
