import HTTPText

/// The weights of a stream's records in units, such as tokens.
///
/// A record weighs the number that it contains, and the standard without one. Where that number is a running total of the
/// stream, the record settles the difference: it weighs what the records before it have not counted, and less than nothing
/// if they have counted too much.
package struct RecordWeights: Sendable {
    /// The largest number that counts; a larger one is as likely an error as a word, and would block a client for years.
    package static let heaviest = 999_999_999

    /// What is the same for all records; a class, since the value is copied for each.
    private final class Scale: Sendable {
        let reader: any RecordWeightReader
        let framer: RecordFramer
        let standard: Int
        let isCumulative: Bool

        init(_ reader: any RecordWeightReader, in framer: RecordFramer, standard: Int, isCumulative: Bool) {
            (self.reader, self.framer) = (reader, framer)
            (self.standard, self.isCumulative) = (standard, isCumulative)
        }
    }

    private let scale: Scale
    /// Units of all counted records.
    package private(set) var total = 0

    /// ``total`` while records follow, for a counter that never falls: 0 where a record may still settle less.
    package var runningTotal: Int { isCumulative ? 0 : total }

    /// - Parameters:
    ///   - reader: Reads the number.
    ///   - framer: Finds its text in a record.
    ///   - standard: The weight of a record without such a number.
    ///   - isCumulative: Whether the number is the total of the stream so far.
    package init(_ reader: any RecordWeightReader, in framer: RecordFramer, standard: Int, isCumulative: Bool) {
        scale = Scale(reader, in: framer, standard: standard, isCumulative: isCumulative)
    }

    /// Whether the number is the total of the stream so far.
    package var isCumulative: Bool { scale.isCumulative }

    /// The weight of the next record, which is not counted yet; at least the negative of ``total``.
    package func weight(of record: UnsafeRawBufferPointer) -> Int {
        guard let number = scale.framer.withText(of: record, { scale.reader.weight(of: $0) }) else {
            return scale.standard
        }
        return isCumulative ? number - total : number
    }

    /// Counts the weight of a record that is sent.
    ///
    /// An upstream reaches the most of all totals, `Int.max`, with 9e9 records of the largest weight.
    package mutating func count(_ weight: Int) { total.addUpToMost(weight) }
}
