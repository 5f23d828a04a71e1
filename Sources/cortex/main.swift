import CortexCommands
import Foundation

exit(await CortexCommand.main(arguments: Array(CommandLine.arguments.dropFirst())))
