import NIOHTTP1

/// The demo's answer of a language model: tokens as server-sent events, in the form of OpenAI's chat completions.
///
/// `tokens=N` is their number. `silent` sends comments and no token, as a model that does not begin; `cut` ends after half of
/// the tokens, without the last ones and `[DONE]`.
struct DemoCompletion {
    static let path = "/v1/chat/completions"
    static let headers: HTTPHeaders = ["Content-Type": "text/event-stream"]

    private static let words = ["A ", "stream ", "is ", "as ", "fast ", "as ", "its ", "slowest ", "reader. "]
    /// A model counts other tokens than those that it sends one by one, and reports the sum at the end.
    private static let uncounted = 40

    private let tokens: Int
    private let isSilent: Bool
    let isCut: Bool

    init(_ query: DemoQuery) {
        tokens = min(max(0, query.number("tokens") ?? 60), 1_000_000)
        (isSilent, isCut) = (query.has("silent"), query.has("cut"))
    }

    /// Whether nothing more is sent after the last record, and the response does not end.
    var isEndless: Bool { isSilent }

    /// The record with this number, from 0; `nil` after the last.
    func record(_ number: Int) -> String? {
        if isSilent { return number == 0 ? ": the model is loading\n\n" : nil }
        if isCut, number >= tokens / 2 { return nil }
        switch number - tokens {
        case ..<0:
            let word = Self.words[number % Self.words.count]
            return Self.chunk(choice: "\"delta\":{\"content\":\"\(word)\"}", reason: "null")
        case 0: return Self.chunk(choice: "\"delta\":{}", reason: "\"stop\"")
        case 1:
            let count = tokens + Self.uncounted
            let usage = "{\"prompt_tokens\":9,\"completion_tokens\":\(count),\"total_tokens\":\(count + 9)}"
            return Self.event("\"choices\":[],\"usage\":\(usage)")
        case 2: return "data: [DONE]\n\n"
        default: return nil
        }
    }

    private static func chunk(choice: String, reason: String) -> String {
        event("\"choices\":[{\"index\":0,\(choice),\"finish_reason\":\(reason)}],\"usage\":null")
    }

    private static func event(_ members: String) -> String {
        let common = "\"id\":\"chatcmpl-demo\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"demo\""
        return "data: {\(common),\(members)}\n\n"
    }
}

/// The query of a request to the demo's upstream.
struct DemoQuery {
    private let parameters: [Substring]

    init(of uri: String) { parameters = uri.split(separator: "?").dropFirst().first?.split(separator: "&") ?? [] }

    /// Whether a parameter is there, with a value or without.
    func has(_ name: String) -> Bool { parameters.contains { $0 == name || $0.hasPrefix(name + "=") } }

    func number(_ name: String) -> Int? {
        parameters.first { $0.hasPrefix(name + "=") }.flatMap { Int($0.dropFirst(name.utf8.count + 1)) }
    }
}
