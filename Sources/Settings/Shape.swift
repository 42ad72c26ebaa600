/// The values that a key accepts, as an editor can check them before weir does.
///
/// It never rejects a value that the reader accepts. It does not contain every rule: ranges of durations, and combinations of
/// keys, are checked by the reader alone.
indirect enum Shape {
    /// One value, and the description of the allowed ones.
    case scalar(Scalar, allowed: String)
    /// A list, or one item without it.
    case list(of: Shape)
    /// A list, which is not empty.
    case sequence(of: Shape)
    case mapping([Entry])
    /// A mapping of any names.
    case entries(of: Shape)
    /// Any of these.
    case either([Shape])

    struct Entry {
        let name: String
        let isRequired: Bool
        let shape: Shape
    }

    enum Scalar: Equatable {
        /// Any text, which YAML may take for a number or a truth value.
        case text
        /// A text that YAML takes for nothing else.
        case string
        /// A string that matches a regular expression.
        case pattern(String)
        /// The same, or a whole number.
        case patternOrNumber(String)
        case number(ClosedRange<Int>)
        case flag
        /// The same, or the number of a port.
        case flagOrPort
        /// One of these words.
        case words([String])
        /// One of these words in any case.
        case foldedWords([String])
    }

    /// This shape, or one of the words that disable a part.
    var orOff: Shape { or(Off.words) }

    /// This shape, or one of some words in any case.
    func or(_ words: [String]) -> Shape {
        .either([self, .scalar(.foldedWords(words), allowed: choice(of: words))])
    }

    static func mapping<Target>(of keys: [Key<Target>]) -> Shape {
        .mapping(keys.map { Entry(name: $0.name, isRequired: $0.isRequired, shape: $0.shape) })
    }
}
