/// Where records are missing in what a stream has queued, so that each loss is reported right after the record before it.
///
/// Holds at most one mark for each queued record.
package struct LossMarks: Equatable, Sendable {
    private var marks: [(after: Int, lost: Int)] = []

    package init() {}

    package var isEmpty: Bool { marks.isEmpty }

    package static func == (left: LossMarks, right: LossMarks) -> Bool {
        left.marks.elementsEqual(right.marks) { $0 == $1 }
    }

    /// That many records are missing after the stream's record number `position`, counted from 1.
    package mutating func add(_ lost: Int, after position: Int) {
        if let last = marks.last, last.after == position {
            marks[marks.count - 1].lost += lost
        } else {
            marks.append((position, lost))
        }
    }

    /// The records that may be sent before the next loss has to be reported.
    package func room(after sent: Int) -> Int { marks.first.map { max(0, $0.after - sent) } ?? .max }

    /// The records that are missing before the next one to send; 0 if none is.
    package func lossAhead(after sent: Int) -> Int { marks.first.map { $0.after <= sent ? $0.lost : 0 } ?? 0 }

    /// The loss ahead was reported.
    package mutating func reported(after sent: Int) {
        if let first = marks.first, first.after <= sent { marks.removeFirst() }
    }

    /// Removes the losses after record number `position` or a later one.
    ///
    /// - Returns: The removed losses.
    package mutating func take(from position: Int) -> LossMarks {
        var taken = LossMarks()
        let first = marks.firstIndex { $0.after >= position } ?? marks.endIndex
        taken.marks = Array(marks[first...])
        marks.removeSubrange(first...)
        return taken
    }

    /// Removes the losses that are followed by record number `position` or an earlier one.
    mutating func forget(before position: Int) { marks.removeAll { $0.after < position } }

    /// Losses that were reported have to be reported again; all of them are before those that were not.
    package mutating func putBack(_ reported: LossMarks) {
        let later = marks
        marks = reported.marks
        for mark in later { add(mark.lost, after: mark.after) }
    }
}
