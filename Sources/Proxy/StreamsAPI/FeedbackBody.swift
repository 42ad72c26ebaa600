import Flow
import Foundation
import Settings

/// Why the body of a feedback is not taken.
///
/// None of its cases holds text that the client chose freely.
enum FeedbackError: Error, Equatable {
    case tooLarge(limit: ByteCount)
    /// No JSON (RFC 8259), not in UTF-8, or no object.
    case malformed
    case empty
    case repeated
    /// A member that no feedback has; `nil` where its name is not a plain word that can be shown.
    case unknown(String?)
    case invalid(FeedbackBody.Member)
}

/// The body of `POST /v1/streams/{id}/feedback`: one flat JSON object.
///
/// Everything in it is taken or refused: a typing error that is ignored would leave the client at a pace that it does not
/// want, without a word.
struct FeedbackBody {
    /// The members by their names in JSON.
    enum Member: String, CaseIterable {
        case processingDelay, rate, bufferSize, pause, request
    }

    /// Far more than any feedback has, and little enough to be held at once.
    static let maximumBytes = ByteCount.kibibytes(4)

    let feedback: Feedback

    /// Reads a whole body.
    ///
    /// A number such as `50.0` or `5e1` is the whole number that it stands for: JSON has only one kind.
    ///
    /// - Throws: What is wrong with it; of several things, the name that is not known first.
    /// - Complexity: O(n), of at most ``maximumBytes``.
    init(_ bytes: [UInt8]) throws(FeedbackError) {
        guard bytes.count <= Self.maximumBytes.bytes else { throw .tooLarge(limit: Self.maximumBytes) }
        // Foundation would take UTF-16 and UTF-32 as well, which it tells by their zeros.
        guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else { throw .malformed }
        let members: Members
        do {
            members = try JSONDecoder().decode(Members.self, from: Data(bytes))
        } catch let error as FeedbackError {
            throw error
        } catch {
            throw .malformed
        }
        guard members.count > 0 else { throw .empty }
        guard let written = Self.memberCount(ofFlat: bytes) else { throw .malformed }
        guard members.count == written else { throw .repeated }
        feedback = members.feedback
    }

    /// How many members are written in an object that has one or more, none of them an object or a list.
    ///
    /// Foundation keeps one of two with the same name, and which one is not said. It also takes a comma behind the last
    /// member, which is not JSON: `nil`.
    private static func memberCount(ofFlat bytes: [UInt8]) -> Int? {
        var count = 1, isQuoted = false, isEscaped = false, isAfterComma = false
        for byte in bytes {
            if isEscaped {
                isEscaped = false
            } else if isQuoted, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if !isQuoted, byte == UInt8(ascii: ",") {
                count += 1
                isAfterComma = true
            } else if !isQuoted, byte == UInt8(ascii: "}"), isAfterComma {
                return nil
            }
            if byte == UInt8(ascii: "\"") { isAfterComma = false }
        }
        return count
    }
}

/// What Foundation reads an object into.
private struct Members: Decodable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private(set) var feedback = Feedback()
    let count: Int

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Name.self)
        let names = object.allKeys.map(\.stringValue)
        if let unknown = names.filter({ FeedbackBody.Member(rawValue: $0) == nil }).min() {
            throw FeedbackError.unknown(unknown.isPlainWord ? unknown : nil)
        }
        count = names.count
        for name in object.allKeys {
            guard let member = FeedbackBody.Member(rawValue: name.stringValue) else { continue }
            guard read(member, of: object, at: name) else { throw FeedbackError.invalid(member) }
        }
    }

    /// Whether the member has a value that is allowed, which is then part of the feedback.
    private mutating func read(
        _ member: FeedbackBody.Member, of object: KeyedDecodingContainer<Name>, at name: Name
    ) -> Bool {
        switch member {
        case .processingDelay:
            feedback.processingDelay = (try? object.decode(String.self, forKey: name)).flatMap(Duration.init(text:))
            return feedback.processingDelay.map { $0 <= Feedback.maximumDelay } ?? false
        case .rate:
            feedback.rate = (try? object.decode(String.self, forKey: name)).flatMap(Pace.init(wanted:))
            return feedback.rate != nil
        case .bufferSize:
            feedback.bufferSize = try? object.decode(Int.self, forKey: name)
            return feedback.bufferSize.map { (1...Feedback.maximumBuffer).contains($0) } ?? false
        case .pause:
            feedback.isPaused = try? object.decode(Bool.self, forKey: name)
            return feedback.isPaused != nil
        case .request:
            feedback.request = try? object.decode(Int.self, forKey: name)
            return feedback.request.map { (1...Feedback.maximumRequest).contains($0) } ?? false
        }
    }
}

extension Pace {
    /// Reads what a client may want: the word `unlimited`, or a rate, rounded down as in `X-Stream-Rate-Limit`.
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
