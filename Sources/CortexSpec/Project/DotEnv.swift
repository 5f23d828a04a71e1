/// The `.env` file of a project: one `VARIABLE=value` a line.
///
/// The original hands the file to a shell. Here it is only read: nothing is run or expanded, so a `$` is a `$`.
/// - A line is empty, a comment (`#` first), or an assignment, perhaps after `export`.
/// - A value without quotes ends before a ` #` comment, and spaces around it fall away.
/// - In `'single quotes'` every character stands for itself.
/// - In `"double quotes"` the escapes `\n \t \r \" \\ \$` and `` \` `` are known. Quoted values may span lines.
/// - A variable that is set twice has its last value.
package enum DotEnv {
    /// Reads the text of a `.env` file; variables are in the order of their first assignment.
    /// - Throws: All problems of the file at once.
    package static func parse(
        _ text: String,
        fileName: String = ".env"
    ) throws(SpecError) -> [(key: String, value: String)] {
        var reader = DotEnvReader(text, log: ProblemLog(file: fileName))
        let variables = reader.read()
        let problems = reader.log.sorted.problems
        guard problems.isEmpty else { throw SpecError(problems: problems) }
        return variables
    }
}
