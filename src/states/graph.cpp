#include "states/fence.h"

#include "states/graph.h"

namespace etl::states {
namespace {

constexpr int kDeepestFlow = 50;  // of a Parallel in a Parallel ...

std::string text_of(const Json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// What a pass over a definition writes, in one language or the other.
class Language {
 public:
  virtual ~Language() = default;
  virtual std::string start(const std::string& indent, const std::string& flow, const std::string& first) = 0;
  virtual std::string state(const std::string& indent, const std::string& id, const std::string& name,
                            const std::string& type) = 0;
  virtual std::string open(const std::string& indent, const std::string& id, const std::string& title) = 0;
  virtual std::string close(const std::string& indent) = 0;
  virtual std::string edge(const std::string& indent, const std::string& from, const std::string& to,
                           const std::string& label, bool is_catch) = 0;
  virtual std::string end(const std::string& indent, const std::string& id, const std::string& flow) = 0;
};

class Drawing {
 public:
  explicit Drawing(Language& language) : language_(language) {}

  std::string draw(const Json& definition) {
    flow(definition, "  ", 0);
    return text_ + edges_;
  }

  const std::map<std::string, std::string>& ids() const { return ids_; }

 private:
  // Ids of their own: names of states hold anything.
  const std::string& id_of(const std::string& name) {
    std::string& id = ids_[name];
    if (id.empty()) id = "s" + std::to_string(ids_.size());
    return id;
  }

  void flow(const Json& flow, const std::string& indent, int depth) {
    if (depth > kDeepestFlow || !flow.is_object() || !flow.contains("States") || !flow["States"].is_object()) return;
    const std::string name = "f" + std::to_string(++flows_);
    for (const auto& [state_name, state] : flow["States"].items())
      if (state.is_object()) draw_state(state_name, state, name, indent, depth);
    edges_ += language_.start(indent, name, id_of(text_of(flow, "StartAt")));
  }

  void draw_state(const std::string& name, const Json& state, const std::string& flow_name, const std::string& indent,
                  int depth) {
    const std::string id = id_of(name);
    const std::string type = text_of(state, "Type");
    text_ += language_.state(indent, id, name, type);
    if (state.contains("Branches") && state["Branches"].is_array()) {
      int number = 0;
      for (const Json& branch : state["Branches"])
        inner(branch, id, name + ": branch " + std::to_string(++number), indent, depth);
    }
    for (const char* field : {"ItemProcessor", "Iterator"})
      if (state.contains(field)) inner(state[field], id, name + ": each item", indent, depth);
    draw_edges(id, state, flow_name, indent);
  }

  void inner(const Json& flow_of, const std::string& id, const std::string& title, const std::string& indent,
             int depth) {
    text_ += language_.open(indent, id + "_" + std::to_string(++boxes_), title);
    const std::string first = id_of(text_of(flow_of, "StartAt"));
    flow(flow_of, indent + "  ", depth + 1);
    text_ += language_.close(indent);
    edges_ += language_.edge(indent, id, first, "", false);
  }

  void draw_edges(const std::string& id, const Json& state, const std::string& flow_name, const std::string& indent) {
    const std::string next = text_of(state, "Next");
    if (!next.empty()) edges_ += language_.edge(indent, id, id_of(next), "", false);
    if (state.contains("Choices") && state["Choices"].is_array()) {
      int number = 0;
      for (const Json& choice : state["Choices"]) {
        ++number;
        if (!choice.is_object()) continue;
        edges_ += language_.edge(indent, id, id_of(text_of(choice, "Next")), condition(choice, number), false);
      }
    }
    const std::string otherwise = text_of(state, "Default");
    if (!otherwise.empty()) edges_ += language_.edge(indent, id, id_of(otherwise), "otherwise", false);
    if (state.contains("Catch") && state["Catch"].is_array())
      for (const Json& catcher : state["Catch"])
        if (catcher.is_object())
          edges_ += language_.edge(indent, id, id_of(text_of(catcher, "Next")), errors(catcher), true);
    const std::string type = text_of(state, "Type");
    const bool is_end = state.value("End", Json(false)) == Json(true) || type == "Succeed" || type == "Fail";
    if (is_end) edges_ += language_.end(indent, id, flow_name);
  }

  // Of a rule: "$.status = 'OK'" where it is one comparison, else its number.
  static std::string condition(const Json& choice, int number) {
    const std::string variable = text_of(choice, "Variable");
    if (choice.contains("Condition") && choice["Condition"].is_string()) return choice["Condition"];
    if (variable.empty()) return "rule " + std::to_string(number);
    for (const auto& [field, value] : choice.items())
      if (field != "Variable" && field != "Next" && field != "Comment" && field != "Assign" && field != "Output")
        return variable + " " + field + " " + shown(value);
    return "rule " + std::to_string(number);
  }

  static std::string errors(const Json& catcher) {
    std::string text;
    if (catcher.contains("ErrorEquals") && catcher["ErrorEquals"].is_array())
      for (const Json& error : catcher["ErrorEquals"])
        if (error.is_string()) text += (text.empty() ? "" : ", ") + error.get<std::string>();
    return text;
  }

  Language& language_;
  std::map<std::string, std::string> ids_;
  int flows_ = 0;
  int boxes_ = 0;
  std::string text_;
  std::string edges_;
};

constexpr size_t kLongestLabel = 60;

std::string shortened(std::string text) {
  if (text.size() <= kLongestLabel) return text;
  text.resize(kLongestLabel);
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
  if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.pop_back();
  return text + "...";
}

class Mermaid : public Language {
 public:
  std::string start(const std::string& indent, const std::string& flow, const std::string& first) override {
    return flow == "f1" ? indent + "start(( )) --> " + first + "\n" : "";
  }
  std::string state(const std::string& indent, const std::string& id, const std::string& name,
                    const std::string& type) override {
    const std::string text = quoted(name + (type.empty() ? "" : "\n" + type));
    if (type == "Choice") return indent + id + "{" + text + "}\n";
    return indent + id + "[" + text + "]\n";
  }
  std::string open(const std::string& indent, const std::string& id, const std::string& title) override {
    return indent + "subgraph " + id + "[" + quoted(title) + "]\n";
  }
  std::string close(const std::string& indent) override { return indent + "end\n"; }
  std::string edge(const std::string& indent, const std::string& from, const std::string& to, const std::string& label,
                   bool is_catch) override {
    const char* arrow = is_catch ? " -.->" : " -->";
    return indent + from + arrow + (label.empty() ? "" : "|" + quoted(shortened(label)) + "|") + " " + to + "\n";
  }
  std::string end(const std::string& indent, const std::string& id, const std::string& flow) override {
    return flow == "f1" ? indent + id + " --> finish((( )))\n" : "";
  }

 private:
  // Entities stand for what the language or HTML would read.
  static std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
      if (c == '\n')
        result += "<br/>";
      else if (c == '"' || c == '<' || c == '>' || c == '&' || c == '#' || c == ';' || c == '`' || c == '\\')
        result += "#" + std::to_string(static_cast<int>(c)) + ";";
      else if (static_cast<unsigned char>(c) < 0x20)
        result += ' ';
      else
        result += c;
    }
    return result + "\"";
  }
};

class Dot : public Language {
 public:
  std::string start(const std::string& indent, const std::string& flow, const std::string& first) override {
    return flow == "f1" ? indent + "start [shape=circle, label=\"\"];\n" + indent + "start -> " + first + ";\n" : "";
  }
  std::string state(const std::string& indent, const std::string& id, const std::string& name,
                    const std::string& type) override {
    const char* shape = type == "Choice" ? "diamond" : "box";
    return indent + id + " [shape=" + shape + ", label=" + quoted(name + (type.empty() ? "" : "\n" + type)) + "];\n";
  }
  std::string open(const std::string& indent, const std::string& id, const std::string& title) override {
    return indent + "subgraph cluster_" + id + " {\n" + indent + "  label=" + quoted(title) + ";\n";
  }
  std::string close(const std::string& indent) override { return indent + "}\n"; }
  std::string edge(const std::string& indent, const std::string& from, const std::string& to, const std::string& label,
                   bool is_catch) override {
    std::string attributes = is_catch ? "style=dashed" : "";
    if (!label.empty()) attributes += (attributes.empty() ? "" : ", ") + ("label=" + quoted(shortened(label)));
    return indent + from + " -> " + to + (attributes.empty() ? "" : " [" + attributes + "]") + ";\n";
  }
  std::string end(const std::string& indent, const std::string& id, const std::string& flow) override {
    if (flow != "f1") return "";
    return indent + id + " -> finish;\n" + indent + "finish [shape=doublecircle, label=\"\"];\n";
  }

 private:
  static std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
      if (c == '\n')
        result += "\\n";
      else if (c == '"' || c == '\\')
        result += std::string("\\") + c;
      else if (static_cast<unsigned char>(c) < 0x20)
        result += ' ';
      else
        result += c;
    }
    return result + "\"";
  }
};

struct Colour {
  const char* name;
  const char* fill;
  const char* line;
};

Colour colour_of(StateStatus status) {
  switch (status) {
    case StateStatus::kRunning:
      return {"running", "#dbeafe", "#2563eb"};
    case StateStatus::kSucceeded:
      return {"succeeded", "#dcfce7", "#16a34a"};
    case StateStatus::kFailed:
      return {"failed", "#fee2e2", "#dc2626"};
    case StateStatus::kCaught:
      break;
  }
  return {"caught", "#fef3c7", "#d97706"};
}

}  // namespace

std::string mermaid(const Json& definition, const StateStatuses& statuses) {
  Mermaid language;
  Drawing drawing(language);
  std::string text = "flowchart TD\n" + drawing.draw(definition);
  std::map<std::string, StateStatus> used;
  for (const auto& [name, status] : statuses) {
    const auto id = drawing.ids().find(name);
    if (id == drawing.ids().end()) continue;
    text += "  class " + id->second + " " + colour_of(status).name + "\n";
    used[colour_of(status).name] = status;
  }
  for (const auto& [name, status] : used)
    text += "  classDef " + name + " fill:" + colour_of(status).fill + ",stroke:" + colour_of(status).line + "\n";
  return text;
}

std::string dot(const Json& definition, const StateStatuses& statuses) {
  Dot language;
  Drawing drawing(language);
  std::string text = "digraph state_machine {\n" + drawing.draw(definition);
  for (const auto& [name, status] : statuses) {
    const auto id = drawing.ids().find(name);
    if (id == drawing.ids().end()) continue;
    text += "  " + id->second + " [style=filled, fillcolor=\"" + colour_of(status).fill + "\", color=\"" +
            colour_of(status).line + "\"];\n";
  }
  return text + "}\n";
}

}  // namespace etl::states
