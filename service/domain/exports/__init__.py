"""What an export holds, column by column, and the formats that it is written in."""
