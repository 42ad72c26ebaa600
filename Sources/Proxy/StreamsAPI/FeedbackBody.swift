import Flow
import JSONPointer
import Settings

/// Why the body of a feedback is rejected.
///
/// No case contains arbitrary text of the client.
enum FeedbackError: Error, Equatable {
    case tooLarge(limit: ByteCount)
    /// Not JSON (RFC 8259), not in UTF-8, or not an object.
    case malformed
    case empty
    case repeated
    /// An unknown member; `nil` if its name is not a plain word that can be shown.
    case unknown(String?)
    case invalid(FeedbackBody.Member)
}

/// The body of `POST /v1/streams/{id}/feedback`: one flat JSON object.
///
/// It is applied completely or rejected: if a typing error were ignored, the client would keep a pace that it does not
/// want, without an error.
struct FeedbackBody {
    /// The members by their names in JSON.
    enum Member: String, CaseIterable {
        case processingDelay, rate, bufferSize, pause, request
    }

    /// More than any feedback has, and little enough to be buffered.
    static let maximumBytes = ByteCount.kibibytes(4)

    let feedback: Feedback

    /// Reads a whole body.
    ///
    /// A number such as `50.0` or `5e1` is the whole number that it represents: JSON has only one kind.
    ///
    /// - Throws: The error; of several, an unknown name first.
    /// - Complexity: O(n), of at most ``maximumBytes``.
    init(_ bytes: [UInt8]) throws(FeedbackError) {
        guard bytes.count <= Self.maximumBytes.bytes else { throw .tooLarge(limit: Self.maximumBytes) }
        guard let object = JSONObject(bytes) else { throw .malformed }
        let names = Set(object.members.map(\.name))
        if let unknown = names.filter({ Member(rawValue: $0) == nil }).min() {
            throw .unknown(unknown.isPlainWord ? unknown : nil)
        }
        var feedback = Feedback()
        for (name, value) in object.members {
            guard let member = Member(rawValue: name) else { continue }
            guard feedback.set(member, to: value) else { throw .invalid(member) }
        }
        guard !names.isEmpty else { throw .empty }
        guard names.count == object.members.count else { throw .repeated }
        self.feedback = feedback
    }
}

extension Feedback {
    /// Reads the value of a member.
    ///
    /// - Returns: Whether the value is valid.
    fileprivate mutating func set(_ member: FeedbackBody.Member, to value: JSONObject.Value) -> Bool {
        switch member {
        case .processingDelay:
            processingDelay = value.string.flatMap(Duration.init(text:))
            return processingDelay.map { $0 <= Feedback.maximumDelay } ?? false
        case .rate:
            rate = value.string.flatMap(Pace.init(wanted:))
            return rate != nil
        case .bufferSize:
            bufferSize = value.wholeNumber
            return bufferSize.map { (1...Feedback.maximumBuffer).contains($0) } ?? false
        case .pause:
            if case .boolean(let value) = value { isPaused = value } else { isPaused = nil }
            return isPaused != nil
        case .request:
            request = value.wholeNumber
            return request.map { (1...Feedback.maximumRequest).contains($0) } ?? false
        }
    }
}

extension JSONObject.Value {
    fileprivate var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    fileprivate var wholeNumber: Int? {
        switch self {
        case .integer(let number): number
        case .double(let number): Int(exactly: number)
        case .string, .boolean, .other: nil
        }
    }
}

extension Pace {
    /// Reads a pace: the word `unlimited`, or a rate, rounded down as in `X-Stream-Rate-Limit`.
    fileprivate init?(wanted text: String) {
        if text == "unlimited" {
            self = .unlimited
        } else if let rate = Rate(roundingDown: text) {
            self = .limited(rate)
        } else {
            return nil
        }
    }
}

extension String {
    /// Whether this can be shown anywhere: letters, digits, `_` and `-` of ASCII, at most 40.
    fileprivate var isPlainWord: Bool {
        (1...40).contains(utf8.count)
            && unicodeScalars.allSatisfy { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
                    || scalar == "_" || scalar == "-"
            }
    }
}
