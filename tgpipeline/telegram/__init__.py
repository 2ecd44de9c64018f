"""What Telegram says: updates and their content, the Bot API client, the examination of a bot."""
