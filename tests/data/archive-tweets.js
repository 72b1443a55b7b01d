window.YTD.tweets.part0 = [
  {
    "tweet": {
      "retweeted": false,
      "id_str": "1658774357406646273",
      "id": "1658774357406646273",
      "favorite_count": "11",
      "retweet_count": "1",
      "full_text": "¿qué \"tal\"? [1]",
      "created_at": "Wed May 17 10:00:00 +0000 2023",
      "lang": "es",
      "entities": {
        "hashtags": [
          {
            "text": "uno",
            "indices": [
              "0",
              "4"
            ]
          }
        ]
      }
    }
  },
  {
    "tweet": {
      "retweeted": false,
      "id_str": "1658774378378166274",
      "id": "1658774378378166274",
      "favorite_count": "12",
      "retweet_count": "2",
      "full_text": "second",
      "created_at": "Wed May 17 10:00:05 +0000 2023",
      "lang": "es",
      "entities": {
        "hashtags": [
          {
            "text": "uno",
            "indices": [
              "0",
              "4"
            ]
          }
        ]
      }
    }
  }
]
