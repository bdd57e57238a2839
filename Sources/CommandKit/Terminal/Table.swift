/// A table for people: a heading, and lines whose columns begin below each other.
///
/// What cells hold is made visible first (``visibleText(_:)``): a peer's words cannot steer the terminal. Lines have no
/// blanks at their end. On a terminal that is too narrow, the widest columns give way, and `…` shows where.
public struct Table: Sendable {
    /// A column.
    public struct Column: Sendable {
        /// The word above it.
        public let heading: String
        /// Whether its cells end, rather than begin, below each other, as numbers do.
        public let isRightAligned: Bool

        /// Describes a column.
        ///
        /// - Parameters:
        ///   - heading: The word above it.
        ///   - isRightAligned: Whether its cells end below each other.
        public init(_ heading: String, isRightAligned: Bool = false) {
            self.heading = heading
            self.isRightAligned = isRightAligned
        }
    }

    /// A cell.
    public struct Cell: Sendable, ExpressibleByStringInterpolation {
        let text: String
        let style: Style?

        /// Makes a cell.
        ///
        /// - Parameters:
        ///   - text: What stands in it.
        ///   - style: How it stands out, where colours are shown.
        public init(_ text: String, style: Style? = nil) {
            self.text = visibleText(text)
            self.style = style
        }

        /// Makes a cell that does not stand out.
        public init(stringLiteral text: String) { self.init(text) }
    }

    private let columns: [Column]
    private var rows: [[Cell]] = []

    /// Begins a table without lines.
    ///
    /// - Parameter columns: The columns, from the left.
    public init(_ columns: [Column]) { self.columns = columns }

    /// Adds a line.
    ///
    /// - Parameter cells: The cells from the left; those that are missing are empty, and those too many are left out.
    public mutating func append(_ cells: [Cell]) {
        rows.append(Array((cells + Array(repeating: "", count: columns.count)).prefix(columns.count)))
    }

    /// Draws the table for a terminal.
    ///
    /// - Parameter terminal: Where it will be shown; its width and whether it has colours count.
    /// - Returns: The heading and the lines, each with a line feed; nothing when there are no lines.
    public func drawn(for terminal: Terminal) -> String {
        drawn(width: terminal.width, hasColour: terminal.hasColour)
    }

    func drawn(width: Int?, hasColour: Bool) -> String {
        guard !rows.isEmpty else { return "" }
        let widths = fittedWidths(into: width)
        let headings = columns.map { Cell($0.heading, style: .bold) }
        return ([headings] + rows).map { cells in
            var line = ""
            for (index, cell) in cells.enumerated() {
                let text = fitting(cell.text, into: widths[index])
                let blanks = String(repeating: " ", count: widths[index] - displayWidth(text))
                let shown = hasColour && !text.isEmpty ? cell.style?.applied(to: text) ?? text : text
                line += (index > 0 ? Self.gap : "") + (columns[index].isRightAligned ? blanks + shown : shown + blanks)
            }
            return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
        }.joined()
    }

    private static let gap = "  "
    private static let leastWidth = 4

    /// The columns' widths; the widest lose a column at a time until the line fits or all are small.
    private func fittedWidths(into limit: Int?) -> [Int] {
        var widths = columns.indices.map { index in
            ([displayWidth(columns[index].heading)] + rows.map { displayWidth($0[index].text) }).max() ?? 0
        }
        guard let limit else { return widths }
        let room = max(limit - (columns.count - 1) * Self.gap.count, columns.count * Self.leastWidth)
        while widths.reduce(0, +) > room {
            guard let widest = widths.indices.max(by: { widths[$0] < widths[$1] }), widths[widest] > Self.leastWidth
            else { break }
            widths[widest] -= 1
        }
        return widths
    }
}
