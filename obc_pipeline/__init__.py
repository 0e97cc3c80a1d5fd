"""From the files a district receives to what it owes a tutoring provider, and what to improve."""
