/// Suggestions for an unknown word.
enum Spelling {
    /// A longer word is no typing error, and the comparison would cost its length.
    static let maximumLength = 64

    /// The only candidate of which `word` is a plural, or the beginning at a `_`: `retry` for `retries`, `max_body_bytes` for
    /// `max_body`.
    static func variant(of word: String, among candidates: [String]) -> String? {
        let singulars = ["s": "", "es": "", "ies": "y"].filter { word.hasSuffix($0.key) }
            .map { String(word.dropLast($0.key.count)) + $0.value }
        let variants = candidates.filter { singulars.contains($0) || $0.hasPrefix(word + "_") }
        return variants.count == 1 ? variants.first : nil
    }

    /// The candidate nearest to `word`, and its distance; `nil` if there are no candidates or the word is too long.
    static func nearest(to word: String, among candidates: [String]) -> (word: String, distance: Int)? {
        guard word.unicodeScalars.prefix(maximumLength + 1).count <= maximumLength else { return nil }
        return candidates.map { (word: $0, distance: distance(word, $0)) }.min { $0.distance < $1.distance }
    }

    /// The number of letters to insert, remove, change or swap with their neighbour between two words.
    ///
    /// Damerau and Levenshtein's distance in its restricted form, in which no letter takes part twice.
    ///
    /// - Complexity: O(n m).
    static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.unicodeScalars), Array(right.unicodeScalars))
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var best = min(last[column + 1] + 1, current[column] + 1, last[column] + (letter == other ? 0 : 1))
                if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
